// A worker whose campaigns never end, or take all memory: what the watchdog is there for.
import { overBytes } from '../../dist/campaign.js';
import { serve } from '../../dist/run/worker.js';

const hoard = [];

const trap = (name, run) =>
  overBytes({
    ...{ name, doc: '' },
    make: (random) => ({
      bytes: Uint8Array.from({ length: 20 }, () => random()),
      ...{ target: name, args: [] },
    }),
    run,
  });

const campaigns = {
  endless: trap('endless', ({ bytes }) => {
    while (bytes.includes(7));
  }),
  hoarder: trap('hoarder', ({ bytes }) => {
    while (bytes.includes(7)) hoard.push(Array.from({ length: 10_000 }, () => hoard.length));
  }),
};

serve((name) => campaigns[name]);
