// A worker whose one campaign never ends, or takes all memory: what the watchdog is there for.
import { overBytes } from '../../dist/campaign.js';
import { serve } from '../../dist/run/worker.js';

const hoard = [];

const trap = (name, run) =>
  overBytes({
    ...{ name, doc: '' },
    make: (random) => ({ bytes: Uint8Array.of(random() % 32), target: name, args: [] }),
    run,
  });

const campaigns = {
  endless: trap('endless', ({ bytes }) => {
    while (bytes[0] === 7);
  }),
  hoarder: trap('hoarder', ({ bytes }) => {
    while (bytes[0] === 7) hoard.push(Array.from({ length: 10_000 }, () => hoard.length));
  }),
};

serve((name) => campaigns[name]);
