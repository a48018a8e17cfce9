import type { Input } from '../campaign.ts';
import type { Fault } from './fault.ts';

/** An execution that went wrong. */
export interface Finding {
  readonly campaign: string;
  /** Of the run, and which execution it was. */
  readonly seed: number;
  readonly batch: number;
  readonly index: number;
  readonly fault: Fault;
  readonly input: Input;
  /** An image to look at. */
  readonly image?: Uint8Array | undefined;
}
