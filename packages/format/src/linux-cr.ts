/**
 * Record numbers of later Linux-CR (user-cr, revision 6). Names and numbers only: revision 100 takes
 * over numbers where they fit, never layouts, and the base has others for five of them.
 */
export const linuxCrRecords = {
  HEADER: 1,
  HEADER_ARCH: 2,
  CONTAINER: 3,
  BUFFER: 4,
  STRING: 5,
  OBJREF: 6,
  LSM_INFO: 7,
  SECURITY: 8,
  PIDS: 101,
  TREE: 102,
  TASK: 103,
  TASK_NS: 104,
  TASK_OBJS: 105,
  RESTART_BLOCK: 106,
  THREAD: 107,
  CPU: 108,
  NS: 109,
  UTS_NS: 110,
  IPC_NS: 111,
  MNT_NS: 112,
  CAPABILITIES: 113,
  USER_NS: 114,
  CRED: 115,
  USER: 116,
  GROUPINFO: 117,
  TASK_CREDS: 118,
  CPU_FPU: 201,
  MM_CONTEXT_LDT: 202,
  FILE_TABLE: 301,
  FILE_DESC: 302,
  FILE_NAME: 303,
  FILE: 304,
  PIPE_BUF: 305,
  TTY: 306,
  TTY_LDISC: 307,
  EPOLL_ITEMS: 308,
  MM: 401,
  VMA: 402,
  PGARR: 403,
  HPAGE: 404,
  MM_CONTEXT: 405,
  FS: 451,
  IPC: 501,
  IPC_SHM: 502,
  IPC_MSG: 503,
  IPC_MSG_MSG: 504,
  IPC_SEM: 505,
  TASK_SEM_UNDO_LIST: 506,
  TASK_SEM_UNDO: 507,
  SIGHAND: 601,
  SIGNAL: 602,
  SIGNAL_TASK: 603,
  SIGPENDING: 604,
  SOCKET: 701,
  SOCKET_QUEUE: 702,
  SOCKET_BUFFER: 703,
  SOCKET_FRAG: 704,
  SOCKET_UNIX: 705,
  SOCKET_INET: 706,
  NET_NS: 707,
  NETDEV: 708,
  NETDEV_ADDR: 709,
  TAIL: 9001,
  ERROR: 9999,
} as const;

/** HEADER.arch_id of revision 6; CKPT_ARCH_* there. */
export const linuxCrArchs = {
  X86_32: 1,
  X86_64: 2,
  S390X: 3,
  ARM: 4,
} as const;

/** OBJREF.objtype of revision 6; CKPT_OBJ_* there. */
export const linuxCrObjects = {
  IGNORE: 0,
  PID: 1,
  INODE: 2,
  FILE_TABLE: 3,
  FILE: 4,
  MM: 5,
  FS: 6,
  SIGHAND: 7,
  SIGNAL: 8,
  NS: 9,
  UTS_NS: 10,
  IPC_NS: 11,
  MNT_NS: 12,
  USER_NS: 13,
  CRED: 14,
  USER: 15,
  GROUPINFO: 16,
  SOCK: 17,
  TTY: 18,
  SECURITY_PTR: 19,
  SECURITY: 20,
  NET_NS: 21,
  NETDEV: 22,
  SEM_UNDO: 23,
  MAX: 24,
} as const;

/** RESTART_BLOCK.function_type of revision 6; CKPT_RESTART_BLOCK_* there. */
export const linuxCrRestartBlocks = {
  NONE: 1,
  HRTIMER_NANOSLEEP: 2,
  POSIX_CPU_NANOSLEEP: 3,
  COMPAT_NANOSLEEP: 4,
  COMPAT_CLOCK_NANOSLEEP: 5,
  POLL: 6,
  FUTEX: 7,
} as const;

/** FILE.f_type of revision 6; CKPT_FILE_* there. */
export const linuxCrFiles = {
  IGNORE: 0,
  GENERIC: 1,
  PIPE: 2,
  FIFO: 3,
  SOCKET: 4,
  TTY: 5,
  EPOLL: 6,
  EVENTFD: 7,
  MAX: 8,
} as const;

/** NETDEV.type of revision 6; CKPT_NETDEV_* there. */
export const linuxCrNetdevs = {
  LO: 0,
  VETH: 1,
  SIT: 2,
  MACVLAN: 3,
  MAX: 4,
} as const;

/** VMA.vma_type of revision 6; CKPT_VMA_* there. */
export const linuxCrVmas = {
  IGNORE: 0,
  VDSO: 1,
  ANON: 2,
  FILE: 3,
  SHM_ANON: 4,
  SHM_ANON_SKIP: 5,
  SHM_FILE: 6,
  SHM_IPC: 7,
  SHM_IPC_SKIP: 8,
  HUGETLB: 9,
  HUGETLB_SKIP: 10,
} as const;

/** HEADER.uflags of revision 6, given to checkpoint; CHECKPOINT_* there. */
export const linuxCrCheckpointFlags = { SUBTREE: 1, NETNS: 2 } as const;

/** Flags given to restart; RESTART_* there. */
export const linuxCrRestartFlags = {
  TASKSELF: 1,
  FROZEN: 2,
  GHOST: 4,
  KEEP_LSM: 8,
  CONN_RESET: 0x10,
} as const;
