import type { FileStat } from '../file-stat.ts';
import type { Holding } from '../frozen.ts';
import { OpenFile } from './open-file.ts';
import { PipeEnd, PipeRing } from './pipe.ts';

/** A pipe that processes hold which the model does not run. */
interface Outside {
  readonly file: OpenFile;
  readonly holdings: readonly Holding[];
}

const pipeLink = /^pipe:\[(\d+)\]$/;

/** The pipes of others on a machine, by their links and by the descriptors that lead to them. */
export class OutsidePipes {
  readonly #byLink = new Map<string, Outside>();

  /** Tells the machine of a pipe of others; FIFOs have a path that leads to them. */
  add(link: string, holdings: readonly Holding[]): void {
    const [, inode] = pipeLink.exec(link) ?? [];
    if (inode === undefined || holdings.length === 0) return;
    const ring = new PipeRing();
    const end = new PipeEnd(ring, BigInt(inode));
    for (const { flags } of holdings) ring.ends.add(new OpenFile(-1, end, flags));
    this.#byLink.set(link, { file: new OpenFile(-1, end, 0), holdings });
  }

  holdings(link: string): readonly Holding[] {
    return this.#byLink.get(link)?.holdings ?? [];
  }

  /** What /proc/PID/fd/N of another process leads to. */
  at(path: string): OpenFile | undefined {
    const [, pid, fd] = /^\/proc\/(\d+)\/fd\/(\d+)$/.exec(path) ?? [];
    for (const { file, holdings } of this.#byLink.values()) {
      if (holdings.some((each) => each.pid === Number(pid) && each.fd === Number(fd))) return file;
    }
    return undefined;
  }

  stat(path: string): FileStat | undefined {
    return this.at(path)?.object.stat();
  }

  startTime(pid: number): bigint | undefined {
    const all = [...this.#byLink.values()].flatMap(({ holdings }) => holdings);
    return all.find((each) => each.pid === pid)?.startTime;
  }
}
