import type { Campaign } from '../campaign.ts';
import { builtInSeeds, type Seeds } from '../images/seeds.ts';
import { decode } from './decode.ts';
import { differential } from './differential.ts';
import { plan } from './plan.ts';
import { roundTrip } from './round-trip.ts';

/** All campaigns, in the order in which they run. */
export function createCampaigns(seeds: Seeds = builtInSeeds()): readonly Campaign[] {
  return [decode(seeds), roundTrip(), differential(seeds), plan()];
}
