export {
  commField,
  encodeBaseImage,
  readBaseImage,
  writeBaseImage,
  type BaseTask,
} from './base-image.ts';
export { createContext, type Context, type ContextOptions } from './context.ts';
export { createEngine, verifyImage } from './engine.ts';
export type { Checkpointed, Engine, Restarted, Verified } from './engine-api.ts';
export type { Answer, Argument, Call } from './call.ts';
export type { FileExtents, FileHandle, FileStat } from './file-stat.ts';
export type {
  CopyTarget,
  Frozen,
  Holding,
  MemoryRun,
  PageRun,
  Task,
  Thread,
  ThreadState,
  UnixQueue,
} from './frozen.ts';
export type { Host, PageReader, Running } from './host.ts';
export type { ClockTimes, System } from './system.ts';
export {
  readOpening,
  writeOpening,
  type KernelVersion,
  type Opening,
  type Revision,
  type Writer,
} from './image-opening.ts';
export { readMetadata, type Metadata } from './image-reader.ts';
export { limits } from './limits.ts';
export { createObjhash } from './objhash.ts';
export { ObstacleError } from './obstacle-error.ts';
export type { EngineOptions, Progress } from './options.ts';
export { createPageReader, type PageLayout } from './page-reader.ts';
export { checkPlan } from './plan-check.ts';
export { base64, planToJson, type Json } from './plan-json.ts';
export { planToText } from './plan-text.ts';
export type {
  CallStep,
  LoadStep,
  MeetStep,
  Origin,
  Plan,
  DieStep,
  ResumeStep,
  SpawnStep,
  Step,
  Value,
  WipeStep,
} from './plan.ts';
export { planProcess, type PlanGround } from './process-plan.ts';
export {
  sections,
  type CheckpointScope,
  type Document,
  type ImageRecord,
  type Objhash,
  type Obstacle,
  type Resource,
  type RestoreScope,
  type Section,
  type Store,
  type StoreSource,
} from './resource.ts';
