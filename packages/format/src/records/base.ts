import { bytes, u16, u32, u64 } from '../field.ts';
import { maybe, payload } from '../follow.ts';
import { address, hex, signal, time } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

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
/** A bare header; the text follows as STRING, or within the same record. */
export const CKPT_HDR_ERROR = 9999;

/** Bits of a context's kflags; bit 2 is unused. */
export const CKPT_CTX_CHECKPOINT = 0x1;
export const CKPT_CTX_RESTART = 0x2;
export const CKPT_CTX_ERROR = 0x8;

/** Debug classes: base, system calls, reads and writes. */
export const CKPT_DBASE = 0x1;
export const CKPT_DSYS = 0x2;
export const CKPT_DRW = 0x4;
/** All classes: the level that a context starts with. */
export const CKPT_DDEFAULT = 0xffff;
/** Class of a message that names none. */
export const CKPT_DFLAG = 0xffff;

/** What every record begins with: its number, and its length in bytes, these 8 included. */
export const CkptHdr = struct('ckpt_hdr', 'Opens every record.', {
  type: u32('number of the record'),
  len: u32('bytes of the whole record, this header included'),
});
export type CkptHdr = Infer<typeof CkptHdr>;

const constantFields = {
  task_comm_len: u16('bytes of a task name, TASK_COMM_LEN (sched.h): 16'),
  uts_release_len: u16('bytes of uts release (utsname.h): 65'),
  uts_version_len: u16('bytes of uts version (utsname.h): 65'),
  uts_machine_len: u16('bytes of uts machine (utsname.h): 65'),
};

/** Sizes of the kernel that wrote the image; a part of HEADER. */
export const CkptConst = struct(
  'ckpt_const',
  'Sizes of the kernel that wrote the image; a part of HEADER.',
  constantFields,
);
export type CkptConst = Infer<typeof CkptConst>;

/** Opens every image; 56 bytes. Three BUFFER records follow: release, version, machine of uname(2). */
export const Header = record(
  'HEADER',
  CKPT_HDR_HEADER,
  'Opens every image.',
  {
    magic: u64('CHECKPOINT_MAGIC_HEAD', hex),
    _padding: u16('written as zero, ignored by readers'),
    major: u16('kernel version of the writer (LINUX_VERSION_CODE)'),
    minor: u16('kernel version of the writer'),
    patch: u16('kernel version of the writer'),
    rev: u16('revision of the format: 3 is the base, 100 a process image'),
    _hole: bytes(6, 'written as zeros, ignored by readers'),
    ...constantFields,
    time: u64('when it was written', time),
    uflags: u64('flags of the user: 0', hex),
  },
  [
    payload('BUFFER', 'release of uname(2), 65 bytes'),
    payload('BUFFER', 'version of uname(2), 65 bytes'),
    payload('BUFFER', 'machine of uname(2), 65 bytes'),
  ],
);
export type Header = Infer<typeof Header>;

/** 8 bytes: nothing but its header. */
export const Container = record(
  'CONTAINER',
  CKPT_HDR_CONTAINER,
  'Opens what is global to all tasks.',
  {},
);
export type Container = Readonly<Record<string, never>>;

export const taskFields = {
  state: u32('task state (linux/sched.h): 0 running, 1 interruptible, 4 stopped ...', hex),
  exit_state: u32('exit state (linux/sched.h): 0 alive, 0x20 zombie', hex),
  exit_code: u32('exit status as waitpid(2) gives it', hex),
  exit_signal: u32('signal to the parent on exit; 0xffffffff (-1): none, no leader', signal),
  set_child_tid: u64('user pointer (clone(2), CLONE_CHILD_SETTID)', address),
  clear_child_tid: u64('user pointer (set_tid_address(2), CLONE_CHILD_CLEARTID)', address),
};

/** A task of revision 3; 40 bytes. A STRING of 16 bytes follows, its name. */
export const Task = record('TASK', CKPT_HDR_TASK, 'A task of the base.', taskFields, [
  payload('STRING', 'name, 16 bytes, padded with NUL'),
]);
export type Task = Infer<typeof Task>;

/** Closes an image: without it an image is not whole. */
export const Tail = record(
  'TAIL',
  CKPT_HDR_TAIL,
  'Closes an image: without it an image is not whole.',
  { magic: u64('CHECKPOINT_MAGIC_TAIL', hex) },
);
export type Tail = Infer<typeof Tail>;

/** The writer failed; 8 bytes, nothing but its header. */
export const ErrorRecord = record(
  'ERROR',
  CKPT_HDR_ERROR,
  'The writer failed: what comes before it is not whole.',
  {},
  [maybe(payload('STRING', 'NUL, then the text of the error; no NUL at the end'))],
);
export type ErrorRecord = Readonly<Record<string, never>>;
