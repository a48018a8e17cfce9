import { quoted, saveFinding } from './findings.ts';
import type { Finding } from './run/finding.ts';
import type { Result } from './run/here.ts';

const reproduction = (path: string): string => `ckpt-fuzz --replay ${quoted(path)}`;

/** What was found, for people. */
function tell({ fault, campaign, input }: Finding, path: string): void {
  const lines = [
    `${campaign}: ${fault.message.slice(0, 1000)}`,
    `  ${input.bytes.length} bytes for ${input.target}; ${fault.key}`,
    `  ${reproduction(path)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** True when all campaigns made executions and found nothing; an empty one proves nothing. */
export const isClean = (results: readonly Result[]): boolean =>
  results.length > 0 &&
  results.every(({ executions, findings }) => executions > 0 && findings.length === 0);

/** What was done, for programs. */
export function summary(seed: number, results: readonly Result[], folder: string): object {
  return {
    seed,
    ok: isClean(results),
    campaigns: results.map(({ campaign, executions, ms, findings }) => ({
      campaign,
      executions,
      seconds: ms / 1000,
      findings: findings.map((finding) => {
        const path = saveFinding(folder, finding);
        const { key, message } = finding.fault;
        return {
          key,
          message,
          path,
          bytes: finding.input.bytes.length,
          replay: reproduction(path),
        };
      }),
    })),
  };
}

/** What was found, for people. */
export function report(results: readonly Result[], folder: string): void {
  for (const { campaign, executions, findings } of results) {
    if (executions === 0) process.stdout.write(`${campaign}: not one execution\n`);
    for (const finding of findings) tell(finding, saveFinding(folder, finding));
  }
  if (isClean(results)) process.stdout.write('nothing was found\n');
}
