import { ObstacleError } from '@ckpt/engine';
import { CkptError } from '@ckpt/format';
import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { asJson, explain, fail } from './failure.ts';
import { captureCli } from './testing/capture.ts';

const plain = pico.createColors(false);
const obstacles = [
  { thing: 'descriptor 1', reason: 'pipe to \x1b[31mtail', remedy: 'COMMAND > out.log' },
  { thing: 'child 7', reason: 'children are not carried', remedy: '' },
];

describe('a failure', () => {
  it('is a line, with what to do next', () => {
    const error = new CkptError('EEXIST', 'a\nb is there already');
    expect(explain(error, plain, 'checkpoint')).toBe(
      'ckpt: EEXIST: a\\nb is there already\n  hint: --force puts the new image in its place\n',
    );
    expect(explain(error, plain, 'restart')).toBe('ckpt: EEXIST: a\\nb is there already\n');
  });

  it('of obstacles has all of them, each with its remedy', () => {
    expect(explain(new ObstacleError(obstacles), plain)).toBe(
      [
        'ckpt: this process cannot be checkpointed as it is:',
        '  descriptor 1: pipe to \\x1b[31mtail',
        '      try: COMMAND > out.log',
        '  child 7: children are not carried',
        '',
      ].join('\n'),
    );
    expect(asJson(new ObstacleError(obstacles))).toMatchObject({ errno: 'EOPNOTSUPP', obstacles });
  });

  it('tells programs where it is', () => {
    const where = { position: 304, type: 101, field: 'state', path: ['TASK'] };
    expect(asJson(new CkptError('EINVAL', 'no', where))).toEqual({
      ...{ ok: false, errno: 'EINVAL', pos: 304, type: 'TASK', field: 'state' },
      ...{ path: 'TASK', message: 'no' },
    });
  });

  it('that is a bug of ours is not hidden', () => {
    const cli = captureCli(
      () => undefined,
      () => undefined,
    );
    expect(() => {
      fail(cli, new TypeError('x is not a function'), { json: false, command: 'check' });
    }).toThrow(TypeError);
  });
});
