// A worker whose campaign over readers has one that breaks at revision 100.
import { decode } from '../../dist/campaigns/decode.js';
import { builtInSeeds } from '../../dist/images/seeds.js';
import { serve } from '../../dist/run/worker.js';

const read = (bytes) => {
  if (bytes[24] === 100) throw new TypeError('a revision that nobody thought of');
};

serve(() => decode(builtInSeeds(), [{ name: 'verifyImage', takes: 'image', read }]));
