import { majorOf } from './device.ts';
import type { OpenFile } from './open-file.ts';
import { DeviceFile } from './path-file.ts';
import { refuse, Unmodelled } from './refuse.ts';
import type { Caller, Words } from './system-call.ts';

/** ioctl_tty(2) */
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TIOCSCTTY = 0x540e;
const TIOCSPGRP = 0x5410;
const FIONREAD = 0x541b;
/** Bytes of the kernel's struct termios (asm-generic/termbits.h). */
const termiosSize = 36;

/** /dev/tty, and device numbers of pseudoterminals, consoles, serial lines. */
const controllingTerminal = 0x500n;
const majors = [4n, 136n, 137n, 138n, 139n, 140n, 141n, 142n, 143n];

export const isTerminal = (rdev: bigint): boolean =>
  rdev === controllingTerminal || majors.includes(majorOf(rdev));

/** Settings of terminals by their inodes: all who have one open share them. */
const settings = new WeakMap<object, Uint8Array>();

/** A terminal that somebody else looks at. */
export class Terminal extends DeviceFile {
  override readonly isSeekable = false;

  ioctl({ process }: Caller, _file: OpenFile, args: Words): number {
    switch (args.unsigned(1)) {
      case TCGETS:
        process.user.write(args.word(2), settings.get(this.inode) ?? new Uint8Array(termiosSize));
        return 0;
      case TCSETS:
        settings.set(this.inode, process.user.read(args.word(2), termiosSize));
        return 0;
      case TIOCSCTTY:
        if (process.session !== process.pid) refuse('EPERM', 'it leads no session');
        process.terminal = Number(this.inode.stat.rdev);
        process.foreground = process.group;
        return 0;
      case TIOCSPGRP:
        process.foreground = process.user.getInt(args.word(2));
        return 0;
      case FIONREAD:
        process.user.putInt(args.word(2), 0);
        return 0;
      default:
        if (args.unsigned(1) >> 8 !== 0x54) return refuse('ENOTTY', 'no such ioctl');
        throw new Unmodelled(`ioctl 0x${args.unsigned(1).toString(16)} of a terminal`);
    }
  }
}
