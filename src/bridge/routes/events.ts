/** GET /v1/events: what changes, as server-sent events, from where a client left. */
import type { ServerResponse } from 'node:http';
import type { EventLog } from '../engines/index.js';
import { type Endpoint, EventStream, endpoint } from '../http/index.js';
import { BridgeError, eventsQuery } from '../messages/index.js';

/** Clients that listen at the same time. */
const maxClients = 2000;

/** `streams` holds the open ones, so that a drain can end them; while `draining` none begins. */
export function eventEndpoints(events: EventLog, streams: Set<EventStream>, draining: () => boolean): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/events',
      scope: 'read',
      summary: 'States, restarts, drains and plans as they change, as server-sent events with replay by Last-Event-ID.',
      idempotent: true,
      retry: 'with the id of the last event as Last-Event-ID, after the time of `retry`',
      failure: 'open',
      query: eventsQuery,
      answers: { 200: 'text/event-stream' },
      handle: ({ incoming, outgoing, query }) => {
        // A stream without a body would never end.
        if (incoming.method === 'HEAD') return { text: '', type: 'text/event-stream; charset=utf-8' };
        if (draining()) throw new BridgeError('draining', 'The bridge is shutting down');
        if (streams.size >= maxClients) {
          throw new BridgeError('too_many_streams', `Expected at most ${maxClients} clients of the events`);
        }
        const header = incoming.headers['last-event-id'];
        const stream = new EventStream(outgoing);
        streams.add(stream);
        outgoing.once('close', () => streams.delete(stream));
        void follow(events, stream, outgoing, typeof header === 'string' ? header : query.lastEventId);
        return 'sent';
      },
    }),
  ];
}

/**
 * Sends what a client missed as fast as it reads, then each event as it comes. What came during the replay is replayed too, so
 * that none is left out between the two.
 */
async function follow(events: EventLog, stream: EventStream, outgoing: ServerResponse, lastId?: string): Promise<void> {
  const { missed, events: first } = events.replay(lastId);
  // An id without data is kept by clients but is no event: a client that saw no event yet can come back with it.
  if (first.length === 0) stream.write(`id: ${events.lastId}\n\n`);
  if (missed !== null) stream.write(missed.text);
  for (let past = first; past.length > 0; past = events.replay(past.at(-1)!.id).events) {
    for (const event of past) {
      stream.write(event.text);
      await stream.drained();
      if (stream.closed) return;
    }
  }
  const end = events.subscribe((event) => stream.write(event.text));
  outgoing.once('close', end);
}
