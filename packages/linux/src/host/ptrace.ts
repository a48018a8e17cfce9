import { decodeStatus, ptraceRequests, type Stop } from './ptrace-abi.ts';
import { registersSize } from './registers.ts';
import { address, failure, stableBytes, syscall, trySyscall, type Word } from './syscall.ts';

export { ptraceEvents, ptraceOptions, type Stop } from './ptrace-abi.ts';

/** Register sets (linux/elf.h). */
const NT_PRSTATUS = 1;
const NT_X86_XSTATE = 0x202;

/** Room for the largest xstate area: AVX-512 and AMX take some 11 KiB. */
const xstateMax = 16384;

const siginfoSize = 128;
const WNOHANG = 1;
const WALL = 0x40000000;

/** PTRACE_GET_RSEQ_CONFIGURATION; address 0 when none is registered. */
export interface RseqConfiguration {
  readonly address: bigint;
  readonly size: number;
  readonly signature: number;
  readonly flags: number;
}

/**
 * ptrace(2) and wait4(2), synchronous: whoever seizes must make all later calls on the same OS
 * thread. `at` is called after every request, so that tests can end the tracer there.
 */
export class Tracer {
  readonly #at: (point: string) => void;
  readonly #scratch = stableBytes(xstateMax);
  readonly #scratchAt = address(this.#scratch);
  readonly #iovec = stableBytes(16);
  readonly #iovecAt = address(this.#iovec);
  readonly #status = stableBytes(8);
  readonly #statusAt = address(this.#status);
  readonly #pause = stableBytes(16);
  readonly #pauseAt = address(this.#pause);

  constructor(at: (point: string) => void = () => undefined) {
    this.#at = at;
  }

  seize(tid: number, options = 0): void {
    this.#request('SEIZE', tid, 0, options);
  }

  interrupt(tid: number): void {
    this.#request('INTERRUPT', tid);
  }

  cont(tid: number, signal = 0): void {
    this.#request('CONT', tid, 0, signal);
  }

  /** Goes on until the next system call is entered or left. */
  contToSyscall(tid: number, signal = 0): void {
    this.#request('SYSCALL', tid, 0, signal);
  }

  step(tid: number, signal = 0): void {
    this.#request('SINGLESTEP', tid, 0, signal);
  }

  /** Keeps a thread that is in a group-stop there, while SIGCONT can still end the stop. */
  listen(tid: number): void {
    this.#request('LISTEN', tid);
  }

  detach(tid: number, signal = 0): void {
    this.#request('DETACH', tid, 0, signal);
  }

  setOptions(tid: number, options: number): void {
    this.#request('SETOPTIONS', tid, 0, options);
  }

  /** Writes memory, through read-only mappings too; `bytes` is a whole number of words. */
  poke(tid: number, at: bigint, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let offset = 0; offset < bytes.length; offset += 8) {
      this.#request('POKEDATA', tid, at + BigInt(offset), view.getBigInt64(offset, true));
    }
  }

  /** struct user_regs_struct; shorter (68 bytes) for a thread that runs 32-bit code. */
  getRegisters(tid: number): Uint8Array {
    return this.#getRegisterSet(tid, NT_PRSTATUS, registersSize);
  }

  setRegisters(tid: number, registers: Uint8Array): void {
    this.#setRegisterSet(tid, NT_PRSTATUS, registers);
  }

  getXstate(tid: number): Uint8Array {
    return this.#getRegisterSet(tid, NT_X86_XSTATE, xstateMax);
  }

  setXstate(tid: number, xstate: Uint8Array): void {
    this.#setRegisterSet(tid, NT_X86_XSTATE, xstate);
  }

  /** Bit 0 is signal 1. */
  getSignalMask(tid: number): bigint {
    this.#request('GETSIGMASK', tid, 8, this.#scratchAt);
    return this.#scratch.readBigUInt64LE(0);
  }

  setSignalMask(tid: number, mask: bigint): void {
    this.#scratch.writeBigUInt64LE(BigInt.asUintN(64, mask), 0);
    this.#request('SETSIGMASK', tid, 8, this.#scratchAt);
  }

  /** siginfo_t, 128 bytes, of the signal that stopped the thread. */
  getSiginfo(tid: number): Uint8Array {
    this.#request('GETSIGINFO', tid, 0, this.#scratchAt);
    return Uint8Array.from(this.#scratch.subarray(0, siginfoSize));
  }

  setSiginfo(tid: number, siginfo: Uint8Array): void {
    this.#scratch.set(siginfo.subarray(0, siginfoSize));
    this.#request('SETSIGINFO', tid, 0, this.#scratchAt);
  }

  /** The id of a new thread, an exit status: belongs to the last event. */
  getEventMessage(tid: number): bigint {
    this.#request('GETEVENTMSG', tid, 0, this.#scratchAt);
    return this.#scratch.readBigUInt64LE(0);
  }

  getRseq(tid: number): RseqConfiguration {
    this.#request('GET_RSEQ_CONFIGURATION', tid, 24, this.#scratchAt);
    return {
      address: this.#scratch.readBigUInt64LE(0),
      size: this.#scratch.readUInt32LE(8),
      signature: this.#scratch.readUInt32LE(12),
      flags: this.#scratch.readUInt32LE(16),
    };
  }

  /** True when system calls of the thread may come back as SIGSYS (prctl(2)). */
  hasSyscallUserDispatch(tid: number): boolean {
    const request = ptraceRequests.GET_SYSCALL_USER_DISPATCH_CONFIG;
    const result = trySyscall('ptrace', request, tid, 32, this.#scratchAt);
    this.#at('ptrace GET_SYSCALL_USER_DISPATCH_CONFIG');
    return result >= 0 && this.#scratch.readBigUInt64LE(0) !== 0n;
  }

  /** Pending signals, 128 bytes of siginfo_t each: of the thread alone, or of the whole process. */
  peekSiginfo(tid: number, shared: boolean): readonly Uint8Array[] {
    const perCall = 64;
    const found: Uint8Array[] = [];
    for (;;) {
      // struct __ptrace_peeksiginfo_args { __u64 off; __u32 flags; __s32 nr; }
      this.#iovec.writeBigUInt64LE(BigInt(found.length), 0);
      this.#iovec.writeUInt32LE(shared ? 1 : 0, 8);
      this.#iovec.writeInt32LE(perCall, 12);
      const count = this.#request('PEEKSIGINFO', tid, this.#iovecAt, this.#scratchAt);
      for (let i = 0; i < count; i++) {
        found.push(Uint8Array.from(this.#scratch.subarray(i * siginfoSize, (i + 1) * siginfoSize)));
      }
      if (count < perCall) return found;
    }
  }

  /** Waits for this very thread, without limit. @throws CkptError ECHILD when it is not traced. */
  wait(tid: number): Stop {
    syscall('wait4', tid, this.#statusAt, WALL, 0);
    return decodeStatus(this.#status.readInt32LE(0));
  }

  /** What the thread reports now; undefined when nothing. */
  poll(tid: number): Stop | undefined {
    const found = trySyscall('wait4', tid, this.#statusAt, WALL | WNOHANG, 0);
    if (found < 0) throw failure(-found, `waiting for thread ${tid}`);
    return found === 0 ? undefined : decodeStatus(this.#status.readInt32LE(0));
  }

  /** Waits until `deadline` (performance.now()); undefined when nothing was reported by then. */
  waitUntil(tid: number, deadline: number): Stop | undefined {
    for (let round = 0; ; round++) {
      const stop = this.poll(tid);
      if (stop !== undefined) return stop;
      if (round < 64) continue; // A stop takes some microseconds: sleeping takes longer.
      if (performance.now() >= deadline) return undefined;
      this.sleep(round < 128 ? 20 : 500);
    }
  }

  /** Gives the processor away for some microseconds. */
  sleep(microseconds: number): void {
    this.#pause.writeBigUInt64LE(BigInt(Math.floor(microseconds / 1e6)), 0);
    this.#pause.writeBigUInt64LE(BigInt((microseconds % 1e6) * 1000), 8);
    trySyscall('nanosleep', this.#pauseAt, 0);
  }

  #request(name: keyof typeof ptraceRequests, tid: number, addr: Word = 0, data: Word = 0): number {
    const result = trySyscall('ptrace', ptraceRequests[name], tid, addr, data);
    this.#at(`ptrace ${name}`);
    if (result < 0) throw failure(-result, `PTRACE_${name} of thread ${tid}`);
    return result;
  }

  #getRegisterSet(tid: number, set: number, size: number): Uint8Array {
    this.#iovec.writeBigUInt64LE(this.#scratchAt, 0);
    this.#iovec.writeBigUInt64LE(BigInt(size), 8);
    this.#request('GETREGSET', tid, set, this.#iovecAt);
    return Uint8Array.from(this.#scratch.subarray(0, Number(this.#iovec.readBigUInt64LE(8))));
  }

  #setRegisterSet(tid: number, set: number, content: Uint8Array): void {
    this.#scratch.set(content);
    this.#iovec.writeBigUInt64LE(this.#scratchAt, 0);
    this.#iovec.writeBigUInt64LE(BigInt(content.length), 8);
    this.#request('SETREGSET', tid, set, this.#iovecAt);
  }
}
