// What the scripts for Node share: named steps that are counted, and the test exchange's administration.
import assert from 'node:assert/strict';

export const [url, key, secret] = process.argv.slice(2);

/** One thing that a client must be able to do. The runner counts the lines that begin with ok. */
export async function step(name, work) {
  try {
    await work();
  } catch (problem) {
    console.log(`FAILED ${name}`);
    console.error(problem);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}

/** Holds a number against what it must be, by its value. */
export function equal(got, wanted) {
  assert.equal(Number(got), wanted);
}

/** The action must be refused with that code. */
export async function refused(action, code) {
  await assert.rejects(action, (problem) => {
    assert.equal(problem.code, code, problem.message ?? problem.body);
    return true;
  });
}

/** Moves the market. */
export async function move(symbol, price) {
  const body = JSON.stringify({ symbol, price: String(price) });
  const answer = await fetch(`${url}/admin/ticks`, { method: 'POST', body });
  assert.equal(answer.status, 200);
}

/** What the exchange knows of the account, past every client. */
export async function audit() {
  return (await fetch(`${url}/admin/audit?key=${key}`)).json();
}

/** A logger that says nothing: the steps say what went wrong. */
export const quiet = { trace() {}, info() {}, error() {} };
