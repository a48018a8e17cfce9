import type { CheckpointScope, ImageRecord, Resource, RestoreScope } from '@ckpt/engine';
import { CKPT_HDR_STRING, ProcessTask, Tree, TreeThread } from '@ckpt/format';
import { decodeText, encodeText } from '@ckpt/io';
import { parseStat } from '../procfs/stat.ts';
import { cString } from '../procfs/text.ts';
import { commOf, required } from './facts.ts';
import { AT_FDCWD, close } from './path-open.ts';
import { refuseTask } from './task-obstacles.ts';
import { asksTask, restoreSettings, settingsOf } from './task-settings.ts';

/** linux/sched.h */
const TASK_RUNNING = 0;
const TASK_STOPPED = 4;
const SIGSTOP = 19;
/** personality(2): asks, and sets nothing. */
const personalityQuery = 0xffff_ffff;

/** prctl(2) of the leader: set_tid_address(2). */
const PR_GET_TID_ADDRESS = 40;

function checkpoint(scope: CheckpointScope): void {
  const { frozen, task, objhash } = scope;
  const stat = parseStat(required(frozen, task, 'stat'));
  refuseTask(scope, stat);
  const object = (kind: string): number => objhash.of(kind, String(task.pid)).objref;
  const answers = scope.answers();
  const address = answers.at(-1)?.out[0];
  const text = (path: string): string => decodeText(required(frozen, task, path)).trim();
  scope.emit(ProcessTask, {
    state: task.stopped ? TASK_STOPPED : TASK_RUNNING,
    exit_state: 0,
    exit_code: 0,
    exit_signal: stat.exitSignal >>> 0,
    set_child_tid: 0n,
    clear_child_tid:
      address?.length === 8
        ? new DataView(address.buffer, address.byteOffset, 8).getBigUint64(0, true)
        : 0n,
    pid: task.pid,
    mm: object('mm'),
    files: object('files'),
    fs: object('fs'),
    sighand: object('sighand'),
    signal: object('signal'),
    cred: object('cred'),
    personality: Number.parseInt(text('personality'), 16),
    oom_score_adj: Number(text('oom_score_adj')),
    stopped: task.stopped ? SIGSTOP : 0,
    ...settingsOf(scope),
  });
  scope.emitBytes(CKPT_HDR_STRING, commOf(frozen, task, task.pid));
}

/** Who led a session or a group does so again; others join those of the invoker. */
function restoreSession(scope: RestoreScope, record: ImageRecord<ProcessTask>): void {
  const leader = scope.document.one(Tree).arrayOf(TreeThread)[0];
  const { pid } = record.value;
  if (leader?.sid === pid) {
    scope.call('process', record, 'setsid', [], { expect: pid, what: `lead session ${pid}` });
  } else if (leader?.pgid === pid) {
    scope.call('process', record, 'setpgid', [0, 0], { what: `lead process group ${pid}` });
    scope.note('the process joins the session of whoever restarts it');
  } else {
    scope.note('the process joins the session and the process group of whoever restarts it');
  }
}

const O_WRONLY_CLOEXEC = 0o2000001;
/** proc_pid_oom_score_adj(5) */
const oomMax = 1000;

/** Written with the rights of the invoker, as everything below /proc/self. */
function restoreOomScore(scope: RestoreScope, record: ImageRecord<ProcessTask>): void {
  const score = record.value.oom_score_adj;
  if (Math.abs(score) > oomMax) throw record.invalid('oom_score_adj', String(score));
  const path = { blob: cString('/proc/self/oom_score_adj') };
  const args = [AT_FDCWD, path, O_WRONLY_CLOEXEC];
  const fd = scope.call('rights', record, 'openat', args, { what: 'open oom_score_adj' });
  const text = encodeText(String(score));
  scope.call('rights', record, 'write', [fd, { blob: text }, text.length], {
    failure: 'warn',
    what: `oom_score_adj ${score} (less than the invoker's takes CAP_SYS_RESOURCE)`,
  });
  close(scope, 'rights', record, fd);
}

function restore(scope: RestoreScope): void {
  const record = scope.document.one(ProcessTask);
  const { pid, personality } = record.value;
  if (pid !== scope.pid) throw record.invalid('pid', `task ${pid} in a tree of ${scope.pid}`);
  if (personality === personalityQuery) throw record.invalid('personality', 'no personality');
  restoreOomScore(scope, record);
  restoreSession(scope, record);
  scope.call('process', record, 'personality', [personality]);
  restoreSettings(scope, record);
}

/**
 * A thread group: what its threads share, and what keeps it from being carried at all (children,
 * other namespaces, seccomp ...).
 *
 * Image: {@link ProcessTask}, then its name. Not saved: cgroup, audit and keyring ids, which are
 * those of whoever restarts it; processor time used so far; when it began.
 */
export const task: Resource = {
  kind: 'task',
  records: [ProcessTask],
  asksTask: [...asksTask, { call: 'prctl', args: [PR_GET_TID_ADDRESS, { out: 8 }, 0, 0, 0] }],
  checkpoint,
  restore,
};
