"""Trains a model of lib/Vit on, on as many processes and machines as torchrun starts (DistributedDataParallel).

    torchrun --nproc_per_node 2 train.py --model FOLDER --recipe recipe.json --data FASHION-MNIST --output FOLDER

FOLDER is what Pretrained.SaveAsTimm wrote: config.json and model.safetensors; recipe.json is Recipe.ToJson(). The order of the
images, the schedule, the groups of the weight decay and the average of the weights are those of the C# Trainer. What it writes,
Pretrained.Load reads. Needs torch and numpy; the model is timm's where timm is installed, and else the one below.
"""
import argparse, gzip, json, math, os, struct, sys, time

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel


# --- the model, with timm's names -------------------------------------------------------------------------------

class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):                                                   # [B, T, D]
        b, t, d = x.shape
        q, k, v = self.qkv(x).reshape(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(d // self.heads)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, t, d))


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads, hidden, epsilon):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width, epsilon), Attention(width, heads)
        self.norm2, self.mlp = nn.LayerNorm(width, epsilon), Mlp(width, hidden)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, channels, patch, width):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)                      # [B, N, D]


class VisionTransformer(nn.Module):
    def __init__(self, config):
        super().__init__()
        args, epsilon = config["model_args"], config.get("layer_norm_eps", 1e-6)
        width, patch = args["embed_dim"], args["patch_size"]
        height, columns = args["img_size"]
        self.mean = config["global_pool"] == "avg"
        self.patch_embed = PatchEmbed(args["in_chans"], patch, width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if args["class_token"] else None
        tokens = (height // patch) * (columns // patch) + (self.cls_token is not None)
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, width))
        self.blocks = nn.Sequential(*[
            Block(width, args["num_heads"], round(width * args["mlp_ratio"]), epsilon) for _ in range(args["depth"])])
        self.norm = nn.Identity() if self.mean else nn.LayerNorm(width, epsilon)
        self.fc_norm = nn.LayerNorm(width, epsilon) if self.mean else nn.Identity()
        self.head = nn.Linear(width, config["num_classes"])

    def forward(self, images):                                              # [B, C, H, W] -> [B, K]
        x = self.patch_embed(images)
        if self.cls_token is not None:
            x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        x = self.norm(self.blocks(x + self.pos_embed))
        x = x[:, (self.cls_token is not None):].mean(1) if self.mean else x[:, 0]
        return self.head(self.fc_norm(x))


def create(config):
    args = config["model_args"]
    if args.get("reg_tokens") or args.get("no_embed_class") or not args.get("qkv_bias", True):
        raise SystemExit("config.json: register tokens, positions of patches alone and attention without biases are not handed over.")
    if not config["architecture"].startswith("vit_") or args.get("init_values") or args.get("pos_embed", "learn") != "learn" or not args.get("fc_norm", True):
        raise SystemExit(f"config.json: expected a plain ViT with learned positions and without LayerScale, found {config['architecture']} with {args}.")
    try:
        import timm
    except ImportError:
        return VisionTransformer(config)
    return timm.create_model(config["architecture"], num_classes=config["num_classes"], global_pool=config["global_pool"], **args)


# --- files: safetensors, and Fashion-MNIST's ---------------------------------------------------------------------

TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}


def load_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = file.read()
    header.pop("__metadata__", None)
    for name, entry in header.items():
        if entry["dtype"] not in TYPES:
            raise SystemExit(f"{path}: {name} is {entry['dtype']}, expected was one of {', '.join(TYPES)}.")
    return {name: torch.from_numpy(np.frombuffer(body[slice(*entry["data_offsets"])], TYPES[entry["dtype"]]).reshape(entry["shape"]).copy())
            for name, entry in header.items()}


def save_safetensors(tensors, path):
    header, body = {}, b""
    for name, tensor in tensors.items():
        content = tensor.detach().cpu().float().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(content)]}
        body += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".unfinished", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)
    os.replace(path + ".unfinished", path)


def load_idx(path):
    with gzip.open(path) as file:
        content = file.read()
    shape = struct.unpack(f">{content[3]}I", content[4:4 + 4 * content[3]])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def load_images(folder, split, config):
    images = torch.from_numpy(load_idx(os.path.join(folder, f"{split}-images-idx3-ubyte.gz")).copy()).unsqueeze(1)
    labels = torch.from_numpy(load_idx(os.path.join(folder, f"{split}-labels-idx1-ubyte.gz")).astype(np.int64))
    normalization = config["pretrained_cfg"]
    def pick(positions):
        x = images[positions].float() / 255
        return (x - normalization["mean"][0]) / normalization["std"][0], labels[positions]
    return len(labels), pick


# --- the order of the images, as the C# Trainer takes them ---------------------------------------------------------

def int32(number):
    """As C# computes: what is too large for 32 bits goes around."""
    return (number + 2**31) % 2**32 - 2**31


class NetRandom:
    """System.Random of a given seed: Knuth's subtractive generator, which .NET keeps for ever."""

    def __init__(self, seed):
        mj, mk, place = 161803398 - min(abs(seed), 2**31 - 1), 1, 0
        self.state = [0] * 56
        self.state[55] = mj
        for _ in range(1, 55):
            place = (place + 21) % 55
            self.state[place] = mk
            mj, mk = mk, int32(mj - mk)
            if mk < 0:
                mk += 2**31 - 1
        for _ in range(4):
            for i in range(1, 56):
                n = i + 30
                n -= 55 if n >= 55 else 0
                value = int32(self.state[i] - self.state[1 + n])
                self.state[i] = value + 2**31 - 1 if value < 0 else value
        self.at, self.behind = 0, 21

    def shuffle(self, items):
        for i in range(len(items) - 1):
            self.at = self.at % 55 + 1
            self.behind = self.behind % 55 + 1
            value = int32(self.state[self.at] - self.state[self.behind])
            value -= value == 2**31 - 1
            value += 2**31 - 1 if value < 0 else 0
            self.state[self.at] = value
            j = i + int(value * (1.0 / (2**31 - 1)) * (len(items) - i))
            items[i], items[j] = items[j], items[i]
        return items


def seed_of(*place):
    state, mask = 0, 2**64 - 1
    for part in place:
        z = (state + 0x9E3779B97F4A7C15 + part) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        state = z ^ (z >> 31)
    low = state & 0xFFFFFFFF
    return low - 2**32 if low >= 2**31 else low


# --- training --------------------------------------------------------------------------------------------------------

def learning_rate(recipe, step, steps):
    warm_up = round(recipe["WarmUpEpochs"] * steps / recipe["Epochs"])
    if step < warm_up:
        return recipe["LearningRate"] * (step + 1) / (warm_up + 1)
    progress = (step - warm_up) / max(1, steps - warm_up)
    return recipe["LearningRate"] * (recipe["FinalRate"] + (1 - recipe["FinalRate"]) * (1 + math.cos(math.pi * progress)) / 2)


def accuracy(model, count, pick, device, rank, world):
    model.eval()
    right = torch.zeros(1, device=device)
    with torch.no_grad():
        for first in range(500 * rank, count, 500 * world):
            images, labels = pick(torch.arange(first, min(first + 500, count)))
            right += (model(images.to(device)).argmax(1) == labels.to(device)).sum()
    dist.all_reduce(right)
    return right.item() / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "recipe", "data", "output"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--images", type=int, help="how many of the training images, from the first; all if not given")
    parser.add_argument("--steps", type=int, help="stop after so many")
    options = parser.parse_args()
    with open(os.path.join(options.model, "config.json")) as file:
        config = json.load(file)
    with open(options.recipe) as file:
        recipe = json.load(file)
    for name in ("Augmentation", "Mixing"):
        if recipe.get(name):
            raise SystemExit(f"{options.recipe}: {name} is not handed over; its random numbers are those of C#. Set it to null.")

    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    tell = print if rank == 0 else lambda *_: None

    model = create(config)
    model.load_state_dict(load_safetensors(os.path.join(options.model, "model.safetensors")))
    model.to(device)
    average = {name: tensor.clone() for name, tensor in model.state_dict().items()} if recipe["EmaDecay"] else None
    decays = lambda name, p: p.dim() >= 2 and name.endswith(".weight")
    optimizer = torch.optim.AdamW(
        [{"params": [p for n, p in model.named_parameters() if decays(n, p) == decay], "weight_decay": recipe["WeightDecay"] * decay} for decay in (True, False)],
        betas=(recipe["Beta1"], recipe["Beta2"]), eps=recipe["Epsilon"])
    parallel = DistributedDataParallel(model, device_ids=[device.index] if cuda else None)
    precision = torch.autocast(device.type, torch.bfloat16, enabled=recipe["Precision"] == "BFloat16")

    count, pick = load_images(options.data, "train", config)
    count = options.images or count
    steps_per_epoch = math.ceil(count / recipe["BatchSize"])
    steps, step = recipe["Epochs"] * steps_per_epoch, 0
    smoothing, classes = recipe["LabelSmoothing"], config["num_classes"]
    for epoch in range(recipe["Epochs"]):
        model.train()
        total, seen, start = 0.0, 0, time.perf_counter()
        order = torch.tensor(NetRandom(seed_of(recipe["Seed"], epoch)).shuffle(list(range(count))))
        for batch in order.split(recipe["BatchSize"]):
            if step == options.steps:
                break
            images, labels = pick(batch[rank::world])
            targets = F.one_hot(labels, classes).float() * (1 - smoothing) + smoothing / classes
            with precision:
                logits = parallel(images.to(device)).float()
                # Gradients are averaged over the processes, whose shares of the last batch need not be equal.
                loss = -(targets.to(device) * logits.log_softmax(1)).sum() * world / len(batch)
            optimizer.zero_grad()
            loss.backward()
            if recipe["MaxGradNorm"]:
                norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
                for p in model.parameters():
                    p.grad.mul_((recipe["MaxGradNorm"] / norm).clamp(max=1))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, step, steps)
            optimizer.step()
            step += 1
            seen += len(batch)
            total += loss.item()
            if average:
                keep = min(recipe["EmaDecay"], (1 + step) / (10 + step))
                for name, tensor in model.state_dict().items():
                    average[name].lerp_(tensor, 1 - keep)
        seconds, total = time.perf_counter() - start, torch.tensor(total, device=device)
        dist.all_reduce(total)
        tell(f"epoch {epoch + 1}: step {step}, training loss {total.item() / world / steps_per_epoch:.4f}, {world} processes, {seen / seconds:.0f} images/s")

    if average:
        model.load_state_dict(average)
    tests, pick = load_images(options.data, "t10k", config)
    top1 = accuracy(model, tests, pick, device, rank, world)
    if rank == 0:
        os.makedirs(options.output, exist_ok=True)
        save_safetensors(model.state_dict(), os.path.join(options.output, "model.safetensors"))
        path = os.path.join(options.output, "config.json")
        with open(path + ".unfinished", "w") as file:
            json.dump(config, file, indent=2)
        os.replace(path + ".unfinished", path)
        with torch.no_grad():
            print("logits of the first test image", " ".join(f"{x:.6f}" for x in model(pick(torch.arange(1))[0].to(device))[0].tolist()))
    tell(f"{100 * top1:.2f} % of {tests} test images")
    dist.barrier()
    sys.stdout.flush()
    # Not through the destructors: that of the process group may wait for a thread that waits for Python's lock (torch 1.13).
    os._exit(0)


if __name__ == "__main__":
    main()
