import { isMainThread } from 'node:worker_threads';
import { campaignsOver } from './corpus.ts';
import { run } from './program.ts';
import { serve } from './run/worker.ts';

// One module for both: what a worker runs is found wherever this is.
if (isMainThread) void run(process.argv, new URL(import.meta.url));
else {
  serve((name, corpus) => {
    const campaign = campaignsOver(corpus).find((one) => one.name === name);
    if (campaign === undefined) throw new Error(`there is no campaign ${name}`);
    return campaign;
  });
}
