/** The largest body of application/octet-stream, 64 MiB. */
export const MAX_FRAME_BYTES = 64 * 2 ** 20;
