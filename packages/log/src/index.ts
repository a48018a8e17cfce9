export { createLogStream, type LogStream, type LogStreamOptions } from './log-stream.ts';
export type { LoggedTask } from './expand.ts';
export type { Argument } from './printf.ts';
export type { Message, MessageBuffer } from './message-buffer.ts';
export {
  _ckptErr,
  _ckptMsg,
  _ckptMsgAppend,
  _ckptMsgComplete,
  ckptErr,
  ckptErrAt,
  ckptMsg,
  ckptMsgLock,
  ckptMsgUnlock,
  ckptSetError,
} from './message.ts';
export { _ckptDebug, ckptDebug, parseDebugLevel, type Debug } from './debug.ts';
export { callSite } from './call-site.ts';
