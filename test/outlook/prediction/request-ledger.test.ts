import { expect, test } from 'vitest';
import { RequestLedger, type SentRequest } from '../../../src/outlook/prediction/request-ledger.js';

const request = (sentAt: number, promptTokens = 100): SentRequest => ({ sentAt, promptTokens, firstTokenAt: null });

test('a scrape that was read before it came shows only what was sent before it was read', () => {
  const ledger = new RequestLedger<SentRequest>();
  const [early, late] = [request(0.2), request(0.8)];
  ledger.add(early);
  ledger.add(late);
  ledger.scraped(0.5);
  expect(ledger.traffic(1)).toMatchObject({ sinceRequests: 1, sinceTokens: 100, aheadRequests: 2, aheadAtScrape: 1 });
  ledger.end(early, 100, 1);
  expect(ledger.traffic(1)).toMatchObject({ sinceRequests: 1, sinceTokens: 100 });
  ledger.end(late, 100, 1);
  expect(ledger.traffic(1)).toMatchObject({ sinceRequests: 0, sinceTokens: 0 });
});

test('a scrape that is no later than the one before has no effect', () => {
  const ledger = new RequestLedger<SentRequest>();
  ledger.scraped(1);
  ledger.add(request(1.5));
  expect(ledger.scraped(1)).toBe(0);
  expect(ledger.traffic(2)).toMatchObject({ sinceRequests: 1, sinceTokens: 100 });
});
