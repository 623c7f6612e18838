/**
 * A process that feeds sessions until it is killed: `node killed-process.mjs <dir> [rounds]`. On each commit it writes a line
 * to stdout, `commit <count> <JSON of durable offsets by id>`, in one synchronous write. Exits with 3 where recovery gives
 * wrong rows, with 0 after `rounds` rounds.
 */
import { writeSync } from 'node:fs';
import { CountingSessions, session } from './journal-fixture.js';

const [dir = '', rounds = 'Infinity'] = process.argv.slice(2);
const opened = await CountingSessions.open(undefined, { dir, checkpointMs: 2, compactBytes: 20_000 }).catch((error) => {
  console.error(error);
  process.exit(3);
});
const { service, journal, sessions, unnamed } = opened;
if (unnamed > 0 || sessions.some(({ quarantined }) => quarantined !== null)) process.exit(3);

let appended = [...service.offsets].map(([id, offset]) => ({ sequence: 0, id, offset }));
const durable = new Map<string, number>();
const note = (sequence: number, id: string) => appended.push({ sequence, id, offset: service.offsets.get(id)! });

function tell(reached: number): void {
  for (const { sequence, id, offset } of appended) if (sequence <= reached) durable.set(id, offset);
  appended = appended.filter(({ sequence }) => sequence > reached);
  writeSync(1, `commit ${journal.figures.commits} ${JSON.stringify(Object.fromEntries(durable))}\n`);
}

tell(0);
journal.onCommit(tell);
for (let index = 0; index < 20; index++) {
  if (!service.sessions.has(`s${index}`)) note(service.create(session(`s${index}`)), `s${index}`);
}
for (let round = 0; round < Number(rounds); round++) {
  const id = `s${round % 20}`;
  note(service.feed(id, 1 + (round % 7)), id);
  if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
await journal.close();
