import { CkptError, type CkptErrorOptions } from '@ckpt/format';
import type { Obstacle } from './resource.ts';

/** What keeps a process from being checkpointed, all of it. */
export class ObstacleError extends CkptError {
  readonly obstacles: readonly Obstacle[];

  constructor(obstacles: readonly Obstacle[], options: CkptErrorOptions = {}) {
    const [first] = obstacles;
    const one = first === undefined ? 'an obstacle' : `${first.thing}: ${first.reason}`;
    const more = obstacles.length > 1 ? `; and ${obstacles.length - 1} more` : '';
    super('EOPNOTSUPP', `${one}${more}`, options);
    this.obstacles = obstacles;
  }
}
