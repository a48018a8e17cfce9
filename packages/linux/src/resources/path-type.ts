/** Types of files in st_mode (inode(7)). */
export const fileTypes = {
  mask: 0o170000,
  socket: 0o140000,
  link: 0o120000,
  regular: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

/** The type alone, without permissions. */
export const typeOf = (mode: number): number => mode & fileTypes.mask;

const words = new Map<number, string>([
  [fileTypes.socket, 'a socket'],
  [fileTypes.link, 'a symbolic link'],
  [fileTypes.regular, 'a regular file'],
  [fileTypes.block, 'a block device'],
  [fileTypes.directory, 'a directory'],
  [fileTypes.character, 'a character device'],
  [fileTypes.fifo, 'a FIFO'],
]);

/** "a regular file" */
export function typeName(mode: number): string {
  return words.get(typeOf(mode)) ?? `of type 0${typeOf(mode).toString(8)}`;
}
