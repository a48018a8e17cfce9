export { FdFile, nonBlockingFile, type FdFileOptions } from './fd-file.ts';
export { createImage, openImage, type CreateImageOptions } from './image.ts';
export type { NewImage } from './new-image.ts';
export { systemError } from './system-error.ts';
