/** Probes, events, and the login of the dashboard. */
import { z } from 'zod';

export const loginSchema = z.strictObject({ token: z.string().min(1).max(4096) });
export const eventsQuery = z.strictObject({
  lastEventId: z.string().max(128).optional().describe('where a client cannot send the header Last-Event-ID'),
});
export const probeSchema = z.looseObject({ status: z.string() });
export const doneSchema = z.looseObject({});
