/**
 * Machine code for x86-64 of programs that fit into a page. Each begins at its first byte, unless
 * said otherwise.
 */
export const programs = {
  /** write(1, "hello\n", 6); exit_group(7) */
  hello: 'b801000000bf01000000488d3513000000ba060000000f05b8e7000000bf070000000f0568656c6c6f0a',
  /**
   * Waits (futex) until the word at r12 is 0, writes "leader\n" and ends with 3. At byte 128 the
   * other thread begins: writes "thread\n" and ends alone.
   */
  pair:
    '418b142485d27411b8ca0000004c89e731f64531d20f05ebe7b801000000bf01000000488d3513000000ba07' +
    '0000000f05b8e7000000bf030000000f056c65616465720a' +
    '90'.repeat(128 - 68) +
    'b801000000bf01000000488d3510000000ba070000000f05b83c00000031ff0f057468726561640a',
  /** A system call; at byte 2: exit_group(-rax). */
  endsWithErrno: '0f05f7d889c7b8e70000000f05',
  /** The same; at byte 16 a handler that returns (rt_sigreturn). */
  returnsErrno: '0f05f7d889c7b8e70000000f05909090' + '4883c408b80f0000000f05',
  /** for (;;) pause(). At byte 16 a handler: write(1, siginfo, 24); exit_group(signal). */
  pauses:
    'b8220000000f05ebf70f1f8000000000' +
    '4189fcb801000000bf01000000ba180000000f05b8e70000004489e70f05',
  /** Stores rbx and the low half of xmm5 at r15, write(1, r15, 16), exit_group(0). */
  shows: '49891f66410fd66f08b801000000bf010000004c89feba100000000f05b8e700000031ff0f05',
  /** ud2: there is no system call in it. */
  faults: '0f0b',
} as const;
