import { jobOf } from './job.ts';

/** The foreground of our terminal, which goes to and fro between us and a process that is a job. */
export interface Front {
  /** To the process, if it is ours to give, and the process has a group of its own there. */
  give(pid: number): void;
  /** To us, if nobody but us has given it away. */
  takeBack(): void;
}

/**
 * @param wasOurs whether it was ours before the restart, which may have given it away.
 * @param set tcsetpgrp(3)
 */
export function frontOf(wasOurs: boolean, set: (group: number) => boolean): Front {
  let given = wasOurs;
  return {
    give(pid) {
      const own = jobOf('self');
      const other = jobOf(pid);
      if (own === undefined || other === undefined || own.terminal === 0) return;
      if (own.foreground !== own.group || other.terminal !== own.terminal) return;
      if (other.group !== own.group) given = set(other.group);
    },
    takeBack() {
      const own = jobOf('self');
      if (given && own !== undefined && own.foreground !== own.group) set(own.group);
      given = false;
    },
  };
}
