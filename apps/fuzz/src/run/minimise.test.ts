import { describe, expect, it } from 'vitest';
import { minimise } from './minimise.ts';

const never = { unit: 1, over: () => false };

describe('minimise', () => {
  it('takes out what does not matter, and makes zeros of the rest', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 251);
    const fails = (some: Uint8Array): boolean => some.length >= 5 && some.includes(77);
    const least = minimise(bytes, fails, never);
    expect(least).toHaveLength(5);
    expect([...least].sort()).toEqual([0, 0, 0, 0, 77]);
  });

  it('takes out whole parts', () => {
    const numbers = Uint32Array.from({ length: 50 }, (_, index) => index + 1);
    const fails = (some: Uint8Array): boolean => new Uint32Array(some.slice().buffer).includes(33);
    const least = minimise(new Uint8Array(numbers.buffer), fails, { ...never, unit: 4 });
    expect([...new Uint32Array(least.slice().buffer)]).toEqual([33]);
  });

  it('stops when time is up, with what fails', () => {
    let left = 3;
    const bytes = new Uint8Array(64).fill(1);
    const least = minimise(bytes, (some) => some.length > 10, { unit: 1, over: () => left-- <= 0 });
    expect(least.length).toBeGreaterThan(10);
    expect(least.length).toBeLessThan(64);
  });
});
