import type { Campaign, Input } from '../campaign.ts';
import { madeAt } from './batch.ts';
import type { End } from './crew.ts';
import type { Fault } from './fault.ts';
import type { Finding } from './finding.ts';
import type { Limits } from './limits.ts';
import { minimiseSlowly } from './minimise.ts';

/** What went wrong with an execution that took its worker with it. */
export function faultOfEnd(end: End, target: string, { hangMs, heapMiB }: Limits): Fault {
  const message =
    end === 'hang'
      ? `${target} had not ended after ${hangMs} ms`
      : `${target} needs more than ${heapMiB} MiB of objects`;
  return { key: `${end} ${target}`, name: end === 'hang' ? 'Hang' : 'Memory', message, stack: '' };
}

/** That execution, made again: its worker can tell nothing any more. */
export function lostFinding(
  campaign: Campaign,
  about: Pick<Finding, 'seed' | 'batch' | 'index'>,
  end: End,
  limits: Limits,
): Finding {
  const { seed, batch, index } = about;
  const made = madeAt(campaign, { seed, batch, count: index + 1 }, index);
  const input = campaign.save(made.value, made.numbers);
  return { ...about, campaign: campaign.name, fault: faultOfEnd(end, input.target, limits), input };
}

/** How much longer than other findings one may take that costs a worker with every try. */
const longer = 5;

/** Makes it smaller from outside; `retry` tries an input in so many milliseconds. */
export async function shortened(
  { unit }: Campaign,
  finding: Finding,
  { shrinkMs, slowMs }: Limits,
  retry: (input: Input, hangMs: number | undefined) => Promise<Fault | undefined>,
): Promise<Finding> {
  const { input, fault } = finding;
  const end = Date.now() + longer * shrinkMs;
  const hangMs = fault.name === 'Hang' ? 2 * slowMs : undefined;
  const fails = async (bytes: Uint8Array): Promise<boolean> => {
    const found = await retry({ ...input, bytes }, hangMs);
    return found?.key === fault.key;
  };
  const bytes = await minimiseSlowly(input.bytes, fails, { unit, over: () => Date.now() > end });
  return { ...finding, input: { ...input, bytes } };
}
