import type { Campaign, Input } from '../campaign.ts';
import { decode } from '../campaigns/decode.ts';
import { builtInSeeds } from '../images/seeds.ts';
import type { Reader } from '../readers/reader.ts';

/** A reader that believes the length in a header: what campaigns are there to find. */
export const credulous: Reader = {
  name: 'credulous',
  takes: 'image',
  read: (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 8 <= bytes.length;) {
      const length = view.getUint32(at + 4, true);
      if (length < 8) return;
      // RangeError where the record is longer than what there is.
      at = view.getUint8(at + length - 1) === 0 ? at + length : at + length;
    }
  },
};

/** A campaign over that reader alone. */
export const broken = (reader: Reader = credulous): Campaign<Input> =>
  decode(builtInSeeds(), [reader]);
