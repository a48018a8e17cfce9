export type { Checkpointed, Engine, Restarted, Verified } from './engine-api.ts';
export type {
  Answer,
  Argument,
  Call,
  FileStat,
  Frozen,
  Host,
  PageReader,
  PageRun,
  Running,
  System,
  Task,
  Thread,
  ThreadState,
} from './host.ts';
export { ObstacleError } from './obstacle-error.ts';
export type { EngineOptions, Progress } from './options.ts';
export { checkPlan } from './plan-check.ts';
export type {
  CallStep,
  LoadStep,
  MeetStep,
  Origin,
  Plan,
  ResumeStep,
  SpawnStep,
  Step,
  Value,
  WipeStep,
} from './plan.ts';
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
