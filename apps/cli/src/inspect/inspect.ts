import { fstatSync } from 'node:fs';
import { CkptError } from '@ckpt/format';
import { exitStatus, type Cli } from '../cli.ts';
import { fail } from '../failure.ts';
import { openSource } from '../image-source.ts';
import { printJson } from './as-json.ts';
import { printTree, type TreeOptions } from './as-tree.ts';
import { Listing } from './listing.ts';

export interface InspectOptions extends TreeOptions {
  readonly json?: true;
}

export function inspect(cli: Cli, file: string, options: InspectOptions): void {
  const image = openSource(file);
  const listing = new Listing(image, fstatSync(image.fd).isFile());
  try {
    if (options.json) printJson(cli, file, listing);
    else printTree(cli, file, listing, options);
  } catch (error) {
    if (!(error instanceof CkptError)) throw error;
    // Programs find it at the end of the one object that was printed.
    if (options.json) cli.status = exitStatus.failed;
    else fail(cli, error, { json: false, command: 'inspect' });
  } finally {
    image.close();
  }
}
