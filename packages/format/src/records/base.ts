import { address, bytes, hex, record, time, u16, u32, u64, type Infer } from '../struct.ts';

/** Revision of the base format (field `rev`). */
export const CHECKPOINT_VERSION = 3;
/** Revision of the full process image. */
export const CHECKPOINT_VERSION_PROCESS = 100;
export const CHECKPOINT_FD_NONE = -1;
export const CHECKPOINT_MAGIC_HEAD = 0x00feed0cc0a2d200n;
export const CHECKPOINT_MAGIC_TAIL = 0x002d2a0cc0deef00n;
/** Bytes of a message, its leading NUL and its end included. */
export const CKPT_MSG_LEN = 1024;
/** sched.h */
export const TASK_COMM_LEN = 16;
/** 64 characters and NUL (utsname.h). */
export const UTS_FIELD_LEN = 65;

export const CKPT_HDR_HEADER = 1;
export const CKPT_HDR_CONTAINER = 2;
export const CKPT_HDR_BUFFER = 3;
export const CKPT_HDR_STRING = 4;
export const CKPT_HDR_TASK = 101;
export const CKPT_HDR_TAIL = 9001;
export const CKPT_HDR_ERROR = 9999;

/** Bits of a context's kflags. */
export const CKPT_CTX_CHECKPOINT = 0x1;
export const CKPT_CTX_RESTART = 0x2;
export const CKPT_CTX_ERROR = 0x8;

/** Debug classes: base, system calls, reads and writes. */
export const CKPT_DBASE = 0x1;
export const CKPT_DSYS = 0x2;
export const CKPT_DRW = 0x4;
export const CKPT_DDEFAULT = 0xffff;

/** Opens every image; 56 bytes. Three BUFFER records follow: release, version, machine of uname(2). */
export const Header = record('HEADER', CKPT_HDR_HEADER, 'Opens every image.', {
  magic: u64('CHECKPOINT_MAGIC_HEAD', hex),
  _padding: u16('ignored by readers'),
  major: u16('kernel version of the writer (LINUX_VERSION_CODE)'),
  minor: u16('kernel version of the writer'),
  patch: u16('kernel version of the writer'),
  rev: u16('revision of the format: 3 is the base, 100 a process image'),
  _hole: bytes(6, 'ignored by readers'),
  task_comm_len: u16('bytes of a task name, TASK_COMM_LEN (sched.h)'),
  uts_release_len: u16('bytes of uts release (utsname.h)'),
  uts_version_len: u16('bytes of uts version (utsname.h)'),
  uts_machine_len: u16('bytes of uts machine (utsname.h)'),
  time: u64('seconds since the epoch', time),
  uflags: u64('flags of the user, 0', hex),
});
export type Header = Infer<typeof Header>;

/** 8 bytes: nothing but its header. */
export const Container = record(
  'CONTAINER',
  CKPT_HDR_CONTAINER,
  'Opens what is global to all tasks.',
  {},
);
export type Container = Infer<typeof Container>;

export const taskFields = {
  state: u32('task state (sched.h: 0 running, 1 interruptible, 4 stopped ...)', hex),
  exit_state: u32('exit state (sched.h)', hex),
  exit_code: u32('exit status as waitpid(2) gives it', hex),
  exit_signal: u32('signal to the parent on exit; -1 is 0xffffffff'),
  set_child_tid: u64('user pointer (set_tid_address(2), CLONE_CHILD_SETTID)', address),
  clear_child_tid: u64('user pointer (CLONE_CHILD_CLEARTID)', address),
};

/** A task of revision 3; 40 bytes. A STRING of 16 bytes follows, its name. */
export const Task = record(
  'TASK',
  CKPT_HDR_TASK,
  'A task of the base; its name follows as STRING.',
  taskFields,
);
export type Task = Infer<typeof Task>;

/** Closes an image: without it an image is not whole. */
export const Tail = record(
  'TAIL',
  CKPT_HDR_TAIL,
  'Closes an image: without it an image is not whole.',
  {
    magic: u64('CHECKPOINT_MAGIC_TAIL', hex),
  },
);
export type Tail = Infer<typeof Tail>;
