import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCampaigns } from './campaigns/index.ts';
import type { Campaign } from './campaign.ts';
import { builtInSeeds, sortSeeds, type Seeds } from './images/seeds.ts';

/** Bytes. Larger files make every execution slow, and say no more than small ones. */
const sizeMax = 1 << 20;

/** Images of a folder, by name, so that a seed means the same every time. */
export function readSeeds(folder: string | undefined): Seeds {
  if (folder === undefined) return builtInSeeds();
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ name }) => join(folder, name)).sort();
  const images = paths.map((path) => new Uint8Array(readFileSync(path)));
  return sortSeeds(images.filter(({ length }) => length > 0 && length <= sizeMax));
}

let made: { readonly folder: string | undefined; readonly all: readonly Campaign[] } | undefined;

/** Campaigns over the images of a folder, or the built-in ones; made once. */
export function campaignsOver(folder: string | undefined): readonly Campaign[] {
  if (made?.folder !== folder || made === undefined) {
    made = { folder, all: createCampaigns(readSeeds(folder)) };
  }
  return made.all;
}
