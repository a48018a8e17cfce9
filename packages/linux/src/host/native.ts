import { createRequire } from 'node:module';
import { CkptError } from '@ckpt/format';

type Koffi = typeof import('koffi');

/** The foreign function interface, and the functions of the libc that this process has. */
export interface Native {
  readonly koffi: Koffi;
  readonly libc: ReturnType<Koffi['load']>;
}

let loaded: Native | undefined;

/** What to do where koffi, or its part for this machine, could not be loaded. */
const remedy =
  'install @ckpt/linux again with its dependencies, optional ones too ' +
  '(npm install --include=optional), for the system it runs on; images can be read without it';

/** Loaded when the first native call is made, and only then: whoever reads images needs none. */
function load(): Native {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64') {
    const where = `this is ${platform} on ${arch}, and processes need Linux on x86-64`;
    throw new CkptError('ENOSYS', `no native calls here: ${where}; images can be read anywhere`);
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    // The program itself: whatever libc it was linked with.
    return { koffi, libc: koffi.load(null) };
  } catch (cause) {
    const [first = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const sentence = `no native calls here: koffi could not be loaded (${first}); ${remedy}`;
    throw new CkptError('ENOSYS', sentence, { cause });
  }
}

/**
 * Everything native comes from here.
 * @throws CkptError ENOSYS on other systems, and where koffi cannot be loaded.
 */
export function native(): Native {
  loaded ??= load();
  return loaded;
}
