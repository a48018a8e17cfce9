import { Vma } from '@ckpt/format';
import { describe, expect, it } from 'vitest';
import { limits } from '../run/limits.ts';
import { runHere } from '../run/here.ts';
import { roundTrip } from './round-trip.ts';

describe('a round trip', () => {
  it('shows a codec that forgets a field', () => {
    const campaign = roundTrip((struct, bytes) => {
      const value = struct.decode(bytes) as object;
      const isVma = struct.name === Vma.name;
      return struct.encode(isVma ? { ...value, offset: 0n } : value);
    });
    const { findings } = runHere(campaign, 1, { runs: 1000 }, { ...limits, shrinkMs: 600 });
    expect(findings.map(({ fault }) => fault.key)).toEqual(['VMA differs']);
    // What is saved beside the numbers is an image.
    expect(findings[0]?.image?.length).toBeGreaterThan(363);
  });

  it('begins with the plainest image', () => {
    const campaign = roundTrip();
    campaign.run(campaign.make(() => 0));
    expect(campaign.image?.(campaign.make(() => 0))).toHaveLength(363);
  });
});
