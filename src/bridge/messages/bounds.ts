/** Bounds and forms that several rooms of the bridge check. */

/** The largest body of application/octet-stream, 64 MiB. */
export const MAX_FRAME_BYTES = 64 * 2 ** 20;

/** Ids of requests, tickets and sessions: 1 to 128 of these characters. */
export const ID_PATTERN = /^[A-Za-z0-9._:-]{1,128}$/;

/** A W3C traceparent; version ff, and ids of zeros, are none. Source: W3C Trace Context, section 3.2. */
export const TRACEPARENT_PATTERN = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Rows, and steps, of one run of a saved model. */
export const MAX_RUN_ROWS = 65_536;

/** Items of one request for the steps of many sessions. */
export const MAX_STEPS_ITEMS = 1000;
