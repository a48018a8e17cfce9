import { describe, expect, test } from 'vitest';
import { parseIgmp, parseIgmp6 } from './socket-groups.ts';

describe('the multicast groups of a network namespace', () => {
  test('are told with their interface, an IPv4 address as a word of the machine', () => {
    const text =
      'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n' +
      '1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n' +
      '4\teth0      :     2      V3\n\t\t\t\t030201EF     1 0:00000000\t\t0\n';
    expect(parseIgmp(text)).toEqual([
      { level: 0, device: 1, address: Uint8Array.of(224, 0, 0, 1) },
      { level: 0, device: 4, address: Uint8Array.of(239, 1, 2, 3) },
    ]);
  });

  test('are told with their interface, an IPv6 address byte for byte', () => {
    const text = '4    eth0            ff0200000000000000000001ff000002     1 00000004 0\n';
    const [group, ...others] = parseIgmp6(text);
    expect(others).toEqual([]);
    expect(group).toMatchObject({ level: 41, device: 4 });
    expect([...(group?.address ?? [])].slice(0, 2)).toEqual([0xff, 0x02]);
    expect([...(group?.address ?? [])].slice(-4)).toEqual([0xff, 0, 0, 2]);
  });
});
