import { FdFile, openImage } from '@ckpt/io/node';

/** An image by its path; "-" is standard input. @throws CkptError as open(2). */
export function openSource(path: string): FdFile {
  return path === '-' ? new FdFile(0, { borrowed: true }) : openImage(path);
}
