/** The reader of server-sent events, with bytes cut anywhere. */
import { expect, test } from 'vitest';
import { serverSentMessages } from '../../../src/bridge/client/server-sent-events.js';

async function* cut(text: string, size: number): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function messagesOf(text: string, size: number) {
  const messages: { event: string; data: string | undefined; id: string | undefined }[] = [];
  for await (const { event, data, id } of serverSentMessages(cut(text, size))) messages.push({ event, data, id });
  return messages;
}

test('line ends of all three kinds, cut at every size of a chunk, give the same messages', async () => {
  const text =
    'id: 1\nevent: a\ndata: x\ndata: y\n\n: comment\r\nid: 2\r\ndata: ü€\r\n\r\ndata: z\r\rdata: never ended\n';
  const expected = [
    { event: 'a', data: 'x\ny', id: '1' },
    { event: 'message', data: 'ü€', id: '2' },
    { event: 'message', data: 'z', id: undefined },
  ];
  for (let size = 1; size <= text.length; size++) {
    const messages = await messagesOf(text, size);
    expect(messages.filter(({ data }) => data !== undefined)).toEqual(expected);
  }
});

test('a message of many lines is bounded as one of a single line is', async () => {
  async function* endless(line: string): AsyncIterable<Uint8Array> {
    for (let i = 0; i < 80; i++) yield Buffer.from(line);
  }
  const mebibyte = 'x'.repeat(2 ** 20);
  for (const line of [`data: ${mebibyte}\n`, mebibyte]) {
    const read = async () => {
      for await (const _ of serverSentMessages(endless(line))) throw new Error('no message ended');
    };
    await expect(read()).rejects.toMatchObject({ code: 'bad_answer' });
  }
});

test('many messages are not counted together', async () => {
  async function* many(): AsyncIterable<Uint8Array> {
    for (let i = 0; i < 70; i++) yield Buffer.from(`data: ${'x'.repeat(2 ** 20)}\n\n`);
  }
  let messages = 0;
  for await (const { data } of serverSentMessages(many())) messages += data === undefined ? 0 : 1;
  expect(messages).toBe(70);
});
