import { decodeText } from '@ckpt/io';

/** A limit, both in the unit of the resource; all ones is none. */
export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

const unlimited = 0xffff_ffff_ffff_ffffn;

/** As /proc/PID/limits calls them, with their units, in the order of RLIMIT_*. */
const limitNames = [
  ['cpu time', 'seconds'],
  ['file size', 'bytes'],
  ['data size', 'bytes'],
  ['stack size', 'bytes'],
  ['core file size', 'bytes'],
  ['resident set', 'bytes'],
  ['processes', 'processes'],
  ['open files', 'files'],
  ['locked memory', 'bytes'],
  ['address space', 'bytes'],
  ['file locks', 'locks'],
  ['pending signals', 'signals'],
  ['msgqueue size', 'bytes'],
  ['nice priority', ''],
  ['realtime priority', ''],
  ['realtime timeout', 'us'],
] as const;

const amount = (text: string): bigint => (text === 'unlimited' ? unlimited : BigInt(text));
const show = (value: bigint): string => (value === unlimited ? 'unlimited' : value.toString());

/** Resource limits of a process. */
export class Limits {
  readonly #limits: Limit[];

  constructor(limits: readonly Limit[]) {
    this.#limits = [...limits];
  }

  at(resource: number): Limit {
    return this.#limits[resource] ?? { soft: unlimited, hard: unlimited };
  }

  soft(resource: number): bigint {
    return this.at(resource).soft;
  }

  set(resource: number, limit: Limit): void {
    this.#limits[resource] = limit;
  }

  /** /proc/PID/limits */
  text(): string {
    const lines = limitNames.map(([name, unit], resource) => {
      const { soft, hard } = this.at(resource);
      const columns = [`Max ${name}`.padEnd(25), show(soft).padEnd(20), show(hard).padEnd(20)];
      return `${columns.join(' ')} ${unit.padEnd(10)}\n`;
    });
    const head = ['Limit'.padEnd(25), 'Soft Limit'.padEnd(20), 'Hard Limit'.padEnd(20)];
    return `${head.join(' ')} ${'Units'.padEnd(10)}\n${lines.join('')}`;
  }
}

/** Limits as /proc/PID/limits tells them; none where a line is missing. */
export function limitsOf(bytes: Uint8Array): Limits {
  const lines = decodeText(bytes).split('\n');
  return new Limits(
    limitNames.map(([name]) => {
      const line = lines.find((each) => each.startsWith(`Max ${name} `)) ?? '';
      const pattern = /(\d+|unlimited) +(\d+|unlimited)/;
      const [, soft = 'unlimited', hard = 'unlimited'] = pattern.exec(line.slice(25)) ?? [];
      return { soft: amount(soft), hard: amount(hard) };
    }),
  );
}
