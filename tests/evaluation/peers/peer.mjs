// One end of a TLS session on Node (its OpenSSL): plays a script, as peer.py says.
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function play(socket) {
  let came = 0;
  let news = () => {};
  socket.setNoDelay(true);
  socket.on('data', (part) => { came += part.length; news(); });
  socket.on('end', () => { came = Infinity; news(); });
  socket.on('error', () => { came = Infinity; news(); });
  const wait = async (needed) => { while (came < needed) await new Promise((done) => { news = done; }); };
  const write = (length) => new Promise((done) => socket.write(Buffer.alloc(length), done));
  for (const [needed, pause, lengths, alone] of plan.rows) {
    await wait(needed);
    await sleep(pause);
    for (const length of alone ? lengths : [lengths.reduce((a, b) => a + b, 0)]) await write(length);
  }
  await wait(plan.expects);
  await sleep(50);
  socket.end();
  await sleep(50);
  process.exit(0);
}

if (plan.role === 'server') {
  const options = { cert: fs.readFileSync(plan.certificate), key: fs.readFileSync(plan.key) };
  if (plan.version === '1.2') Object.assign(options, { maxVersion: 'TLSv1.2', ciphers: plan.ciphers });
  const server = tls.createServer(options, play);
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
} else {
  const socket = tls.connect({
    socket: net.connect(plan.port, '127.0.0.1'), rejectUnauthorized: false, servername: plan.name || undefined,
  }, () => play(socket));
}
