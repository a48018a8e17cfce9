import { mapFlags, openFlags, protections, signalName } from '@ckpt/format';

type Names = Readonly<Record<string, number>>;

/** Says a number as the manual pages of Linux do; undefined for what has no name. */
type Naming = (value: number) => string | undefined;

/** Bits by their names, the largest names first; what has none stays a number. */
function flags(names: Names, none?: string): Naming {
  const known = Object.entries(names).sort(([, a], [, b]) => b - a);
  return (value) => {
    if (value <= 0) return value === 0 ? none : undefined;
    let left = value;
    const found = known.filter(([, bits]) => {
      // The high bit of an int makes the operators' result negative; no flag here has it.
      if ((left & bits) !== bits) return false;
      left &= ~bits;
      return true;
    });
    const words = found.map(([name]) => name).reverse();
    return [...words, ...(left === 0 ? [] : [`0x${left.toString(16)}`])].join('|');
  };
}

function oneOf(names: Names): Naming {
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  return (value) => byNumber.get(value);
}

const prefixed = (prefix: string, names: Names): Names =>
  Object.fromEntries(Object.entries(names).map(([name, bits]) => [prefix + name, bits]));

const at = oneOf({ AT_FDCWD: -100 });
const open = flags(
  { ...openFlags, O_CREAT: 0o100, O_EXCL: 0o200, O_CLOEXEC: 0o2000000 },
  'O_RDONLY',
);
const protection = flags(prefixed('PROT_', protections), 'PROT_NONE');
const map = flags(
  prefixed('MAP_', {
    ...{ SHARED: 1, PRIVATE: 2, FIXED: 0x10, ANONYMOUS: 0x20 },
    ...mapFlags,
    FIXED_NOREPLACE: 0x100000,
  }),
);
const signal: Naming = (value) => signalName(value);

/** linux/prctl.h */
const prctl = oneOf({
  ...{ PR_SET_PDEATHSIG: 1, PR_SET_DUMPABLE: 4, PR_SET_KEEPCAPS: 8, PR_SET_NAME: 15 },
  ...{ PR_CAPBSET_DROP: 24, PR_SET_TSC: 26, PR_SET_SECUREBITS: 28, PR_SET_TIMERSLACK: 29 },
  ...{ PR_SET_MM: 35, PR_SET_CHILD_SUBREAPER: 36, PR_SET_NO_NEW_PRIVS: 38 },
  ...{ PR_SET_THP_DISABLE: 41, PR_CAP_AMBIENT: 47, PR_SET_IO_FLUSHER: 57 },
  ...{ PR_SET_MDWE: 65, PR_SET_MEMORY_MERGE: 67, PR_SET_VMA: 0x53564d41 },
});

/** asm-generic/mman-common.h */
const advice = oneOf({
  ...{ MADV_RANDOM: 1, MADV_SEQUENTIAL: 2, MADV_DONTFORK: 10, MADV_MERGEABLE: 12 },
  ...{ MADV_HUGEPAGE: 14, MADV_NOHUGEPAGE: 15, MADV_DONTDUMP: 16, MADV_WIPEONFORK: 18 },
  MADV_GUARD_INSTALL: 102,
});

/** asm-generic/fcntl.h, linux/fcntl.h */
const fcntl = oneOf({
  ...{ F_DUPFD: 0, F_SETFD: 2, F_SETFL: 4, F_SETLK: 6, F_SETOWN: 8, F_SETSIG: 10 },
  ...{ F_SETOWN_EX: 15, F_OFD_SETLK: 37, F_SETLEASE: 1024, F_DUPFD_CLOEXEC: 1030 },
  ...{ F_SETPIPE_SZ: 1031, F_ADD_SEALS: 1033 },
});

const epoll = oneOf({ EPOLL_CTL_ADD: 1, EPOLL_CTL_DEL: 2, EPOLL_CTL_MOD: 3 });
const arch = oneOf({
  ARCH_MAP_VDSO_X32: 0x2001,
  ARCH_MAP_VDSO_32: 0x2002,
  ARCH_MAP_VDSO_64: 0x2003,
});

/** What the arguments of a call are, by their places. */
const namings: Readonly<Record<string, readonly (Naming | undefined)[]>> = {
  openat: [at, undefined, open],
  mmap: [undefined, undefined, protection, map],
  mprotect: [undefined, undefined, protection],
  madvise: [undefined, undefined, advice],
  dup3: [undefined, undefined, open],
  pipe2: [undefined, open],
  prctl: [prctl],
  arch_prctl: [arch],
  fcntl: [undefined, fcntl],
  epoll_ctl: [undefined, epoll],
  rt_sigaction: [signal],
};

/** Name of an argument that is a number; undefined where it is one and no more. */
export function argumentName(
  call: string,
  place: number,
  value: number | bigint,
): string | undefined {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number > 0x7fffffff) return undefined;
  return namings[call]?.[place]?.(number);
}
