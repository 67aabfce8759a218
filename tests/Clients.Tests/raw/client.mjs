// Talks to the kernel as VS Code's Jupyter extension does: with JupyterLab's client, over ZeroMQ, without a server and without Python.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jupyter from '@jupyterlab/services';
import connection from '@jupyterlab/services/lib/kernel/default.js';
import { Dealer, Subscriber } from 'zeromq';

const [specFile] = process.argv.slice(2);
const spec = JSON.parse(await readFile(specFile, 'utf8'));
const folder = await mkdtemp(join(tmpdir(), 'raw-'));
const session = randomUUID();
console.debug = () => {};

/** A kernel's process, and its channels in the shape of the WebSocket that JupyterLab's client expects. */
class Kernel {
    static async start() {
        const kernel = new Kernel();
        const names = ['shell', 'iopub', 'stdin', 'control', 'hb'];
        const ports = await freePorts(names.length);
        kernel.key = randomUUID();
        const file = join(folder, `${randomUUID()}.json`);
        await writeFile(file, JSON.stringify({
            transport: 'tcp', ip: '127.0.0.1', signature_scheme: 'hmac-sha256', key: kernel.key,
            ...Object.fromEntries(names.map((name, i) => [`${name}_port`, ports[i]])),
        }));
        const [program, ...parameters] = spec.argv.map(a => a.replace('{connection_file}', file));
        kernel.process = spawn(program, parameters, { stdio: 'inherit', env: { ...process.env, ...spec.env } });
        kernel.exited = once(kernel.process, 'exit');
        kernel.sockets = {};
        for (const [i, name] of names.slice(0, 4).entries()) {
            const socket = name === 'iopub' ? new Subscriber() : new Dealer({ routingId: session });
            socket.connect(`tcp://127.0.0.1:${ports[i]}`);
            if (name === 'iopub') socket.subscribe();
            kernel.sockets[name] = socket;
        }
        return kernel;
    }

    /** Asks until it hears something: what is published before the subscription arrives is lost, and a request is done when the kernel says that it is idle. */
    async subscribed() {
        const heard = this.sockets.iopub.receive();
        for (let silent = true; silent;) {
            const header = { msg_id: randomUUID(), session, username: 'raw', date: new Date().toISOString(), msg_type: 'kernel_info_request', version: '5.3' };
            await this.send({ channel: 'shell', header, parent_header: {}, metadata: {}, content: {} });
            await this.sockets.shell.receive();
            silent = await Promise.race([heard.then(() => false), new Promise(resolve => setImmediate(resolve, true))]);
        }
    }

    /** Connects JupyterLab's client. */
    async connect() {
        const kernel = this;
        await this.subscribed();
        this.client = new connection.KernelConnection({
            model: { id: randomUUID(), name: 'raw' },
            clientId: session,
            handleComms: false,
            serverSettings: jupyter.ServerConnection.makeSettings({
                WebSocket: class { constructor() { kernel.open(this); } },
                fetch: async () => new Response(JSON.stringify({ id: 'raw', name: 'raw' })),
                serializer: { serialize: message => message, deserialize: message => message },
            }),
        });
        return await this.client.info;
    }

    open(socket) {
        Object.assign(socket, { protocol: '', readyState: 1, send: message => this.send(message), close() {} });
        for (const [channel, from] of Object.entries(this.sockets)) void this.receive(channel, from, socket);
        setImmediate(() => socket.onopen({}));
    }

    async receive(channel, from, to) {
        for await (const frames of from) {
            const start = frames.findIndex(frame => frame.equals(Buffer.from('<IDS|MSG>')));
            const parts = frames.slice(start + 2, start + 6);
            assert.equal(frames[start + 1].toString(), this.sign(parts), 'a signature');
            const [header, parent_header, metadata, content] = parts.map(part => JSON.parse(part));
            to.onmessage({ data: { channel, header, parent_header, metadata, content, buffers: frames.slice(start + 6) } });
        }
    }

    async send({ channel, header, parent_header, metadata, content }) {
        const parts = [header, parent_header, metadata, content].map(part => Buffer.from(JSON.stringify(part)));
        await this.sockets[channel].send(['<IDS|MSG>', this.sign(parts), ...parts]);
    }

    sign(parts) {
        return parts.reduce((hmac, part) => hmac.update(part), createHmac('sha256', this.key)).digest('hex');
    }

    /** Runs a cell. */
    async execute(code, seen = () => {}) {
        const cell = this.client.requestExecute({ code });
        const outputs = [];
        cell.onIOPub = message => {
            if (message.header.msg_type === 'status') return;
            outputs.push(message);
            seen(message);
        };
        return { reply: (await cell.done).content, outputs, text: outputs.map(o => o.content.text ?? o.content.data?.['text/plain'] ?? '').join('') };
    }

    /** Asks on the control channel. */
    async control(msgType, content) {
        const request = this.client.sendControlMessage(
            jupyter.KernelMessage.createMessage({ msgType, channel: 'control', session, username: 'raw', content }), true, true);
        return (await request.done).content;
    }

    /** Ends the kernel as the extension does before a restart. */
    async end(restart) {
        assert.equal((await this.control('shutdown_request', { restart })).restart, restart);
        await this.exited;
        this.client.dispose();
        Object.values(this.sockets).forEach(socket => socket.close());
    }
}

async function freePorts(count) {
    const servers = await Promise.all(Array.from({ length: count }, async () => {
        const server = createServer().listen(0, '127.0.0.1');
        await once(server, 'listening');
        return server;
    }));
    const ports = servers.map(server => server.address().port);
    await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
    return ports;
}

let kernel = await Kernel.start();
try {
    const info = await kernel.connect();
    assert.deepEqual([info.language_info.name, info.language_info.file_extension], ['csharp', '.cs']);

    const first = await kernel.execute('var kept = 5;\nConsole.WriteLine("printed");\nkept + 1');
    assert.equal(first.reply.status, 'ok');
    assert.deepEqual(first.outputs.map(o => o.header.msg_type), ['execute_input', 'stream', 'execute_result']);
    assert.equal(first.text, 'printed\n6');

    const completed = await kernel.client.requestComplete({ code: 'kept.ToSt', cursor_pos: 9 });
    assert.deepEqual([completed.content.matches.includes('ToString'), completed.content.cursor_start, completed.content.cursor_end], [true, 5, 9]);

    assert.equal(spec.interrupt_mode, 'message');
    const endless = await kernel.execute('Console.WriteLine("begun");\nwhile (true) { }', message => {
        if (message.header.msg_type === 'stream') void kernel.control('interrupt_request', {});
    });
    assert.equal(endless.reply.status, 'error');
    assert.equal((await kernel.execute('kept')).text, '5');

    await kernel.end(true);
    kernel = await Kernel.start();
    await kernel.connect();
    const fresh = await kernel.execute('kept');
    assert.match(fresh.reply.evalue, /CS0103/);
    await kernel.end(false);
    console.log('executed, completed, interrupted, restarted');
} finally {
    kernel.process.kill();
    await rm(folder, { recursive: true });
}
process.exit();
