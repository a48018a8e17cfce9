import { CkptError } from '@ckpt/format';
import { adviceCalls } from './advice-calls.ts';
import { clockCalls } from './clocks.ts';
import { credentialCalls, credentialPrctls } from './credential-calls.ts';
import { descriptorCalls } from './descriptor-calls.ts';
import { epollCalls } from './epoll.ts';
import { fileCalls } from './file-calls.ts';
import { inotifyCalls } from './inotify.ts';
import { ioUringCalls } from './io-uring-calls.ts';
import { mapCalls } from './map-calls.ts';
import { mmPrctls } from './mm.ts';
import { openCalls } from './open-calls.ts';
import { processCalls, processPrctls } from './process-calls.ts';
import { Unmodelled } from './refuse.ts';
import { schedulingCalls } from './scheduling-calls.ts';
import { signalFileCalls } from './signalfd.ts';
import { signalCalls } from './signals.ts';
import { socketCalls } from './socket-calls.ts';
import { Words, type Caller, type SystemCallOptions, type SystemCalls } from './system-call.ts';
import { threadCalls, threadPrctls } from './thread-calls.ts';
import { timerFileCalls } from './timerfd.ts';
import { timerCalls, timerPrctls } from './timers.ts';
import { vdsoCalls } from './vdso.ts';

const prctls: SystemCallOptions = new Map([
  ...mmPrctls,
  ...credentialPrctls,
  ...processPrctls,
  ...threadPrctls,
  ...timerPrctls,
]);

/** All system calls of the model, by their Linux names. */
const allCalls: SystemCalls = {
  ...mapCalls,
  ...adviceCalls,
  ...vdsoCalls,
  ...openCalls,
  ...fileCalls,
  ...descriptorCalls,
  ...epollCalls,
  ...inotifyCalls,
  ...socketCalls,
  ...ioUringCalls,
  ...timerFileCalls,
  ...signalFileCalls,
  ...signalCalls,
  ...timerCalls,
  ...clockCalls,
  ...credentialCalls,
  ...processCalls,
  ...threadCalls,
  ...schedulingCalls,
  prctl: (caller, args) => {
    const call = prctls.get(args.int(0));
    if (call === undefined) throw new Unmodelled(`prctl(${args.int(0)})`);
    return call(caller, args);
  },
};

/**
 * Makes a system call; returns its result, a negative errno where Linux refuses.
 * @throws CkptError ENOSYS for what the model does not have.
 */
export function makeCall(caller: Caller, name: string, args: readonly bigint[]): bigint {
  const call = Object.hasOwn(allCalls, name) ? allCalls[name] : undefined;
  if (call === undefined) throw new Unmodelled(`system call ${name}`);
  try {
    return BigInt(call(caller, new Words(args)));
  } catch (error) {
    if (!(error instanceof CkptError) || error instanceof Unmodelled) throw error;
    return BigInt(-error.errno);
  }
}
