/** Signals of x86-64 by name (asm/signal.h). */
export const signalNumbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/** _NSIG of the kernel. */
export const signalMax = 64;

/** What glibc calls SIGRTMIN: it keeps 32 and 33, the kernel's first two, to itself. */
const realTimeMin = 34;

const names = new Map<number, string>(
  Object.entries(signalNumbers).map(([name, number]) => [number, name]),
);
for (let number = 32; number <= signalMax; number++) {
  const above = number - realTimeMin;
  if (above < 0) names.set(number, `SIG${number}`);
  else names.set(number, above === 0 ? 'SIGRTMIN' : `SIGRTMIN+${above}`);
}

/** "SIGUSR1", "SIGRTMIN+3"; undefined for a number that is no signal. */
export function signalName(number: number): string | undefined {
  return names.get(number);
}
