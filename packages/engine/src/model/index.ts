export { compareFacts, normalizeFacts, type Difference } from './compare-facts.ts';
export { callKey, type RecordedFacts } from './facts.ts';
export { parseFacts, stringifyFacts } from './facts-json.ts';
export { ModelKernel, type ModelRunOptions } from './kernel.ts';
export { gatherFacts, MemoryHost, type MemoryHostOptions } from './memory-host.ts';
export { ModelProcess } from './process.ts';
export { record, recordHost, type Recording } from './record.ts';
export { replay, type ReplayOptions } from './replay.ts';
export type { ModelThread } from './thread.ts';
