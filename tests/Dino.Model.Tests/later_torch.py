"""DINOv2 and DINOv3 in PyTorch under their official names, from their papers, for tests: see vit_torch.py.

    features WEIGHTS SIZES IMAGES... -> IMAGES.features beside each
    make WEIGHTS SIZES               random weights by torch.save

SIZES is generation,dim,depth,heads,patch,side,registers,hidden: 2 or 3, and a hidden width of 0 for 4 x dim with GELU, else SwiGLU's.
IMAGES is batch x 3 x height x width of float32, named NAME.BxHxW.
"""
import math
import sys

import torch
import torch.nn.functional as F
from torch import nn

V3 = False


class MaskedLinear(nn.Linear):
    """A bias without its middle third, the key's."""

    def __init__(self, dim):
        super().__init__(dim, 3 * dim)
        mask = torch.ones(3 * dim)
        mask[dim : 2 * dim] = 0
        self.register_buffer("bias_mask", mask)

    def forward(self, x):
        return F.linear(x, self.weight, self.bias * self.bias_mask)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = MaskedLinear(dim) if V3 else nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, rope):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        if rope is not None:
            q, k = turn(q, *rope), turn(k, *rope)
        weights = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, d))


def turn(x, sin, cos):
    first = x.shape[-2] - sin.shape[0]
    tokens = x[..., first:, :]
    left, right = tokens.chunk(2, -1)
    return torch.cat([x[..., :first, :], tokens * cos + torch.cat([-right, left], -1) * sin], -2)


class Rope(nn.Module):
    def __init__(self, count):
        super().__init__()
        # The official files have these values rounded to bfloat16.
        self.register_buffer("periods", (100 ** (torch.arange(count) / count)).bfloat16().float())

    def forward(self, rows, columns):
        y = (torch.arange(rows) + 0.5) / rows * 2 - 1
        x = (torch.arange(columns) + 0.5) / columns * 2 - 1
        places = torch.stack(torch.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2, 1)
        angles = (2 * math.pi * places / self.periods).flatten(1).repeat(1, 2)
        return angles.sin(), angles.cos()


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class SwiGlu(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        if V3:
            self.w1 = nn.Linear(dim, hidden)
            self.w2 = nn.Linear(dim, hidden)
        else:
            self.w12 = nn.Linear(dim, 2 * hidden)
        self.w3 = nn.Linear(hidden, dim)

    def forward(self, x):
        gate, value = (self.w1(x), self.w2(x)) if V3 else self.w12(x).chunk(2, -1)
        return self.w3(F.silu(gate) * value)


class LayerScale(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * self.gamma


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        eps = 1e-5 if V3 else 1e-6
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = Attention(dim, heads)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = SwiGlu(dim, hidden) if hidden else Mlp(dim)
        self.ls2 = LayerScale(dim)

    def forward(self, x, rope):
        x = x + self.ls1(self.attn(self.norm1(x), rope))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)


class ViT(nn.Module):
    def __init__(self, dim, depth, heads, patch, side, registers, hidden):
        super().__init__()
        self.patch, self.side = patch, side
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        if not V3:
            self.pos_embed = nn.Parameter(torch.zeros(1, 1 + side * side, dim))
        name = "storage_tokens" if V3 else "register_tokens"
        self.register_parameter(name, nn.Parameter(torch.zeros(1, registers, dim)) if registers else None)
        self.mask_token = nn.Parameter(torch.zeros(1, dim))
        self.patch_embed = PatchEmbed(dim, patch)
        if V3:
            self.rope_embed = Rope(dim // heads // 4)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-5 if V3 else 1e-6)

    @property
    def registers(self):
        return self.storage_tokens if V3 else self.register_tokens

    def positions(self, height, width):
        rows, columns = height // self.patch, width // self.patch
        if rows * columns == self.side**2 and height == width:
            return self.pos_embed
        grid = self.pos_embed[:, 1:].reshape(1, self.side, self.side, -1).permute(0, 3, 1, 2)
        if self.registers is None:
            factors = ((rows + 0.1) / self.side, (columns + 0.1) / self.side)
            grid = F.interpolate(grid, scale_factor=factors, mode="bicubic", recompute_scale_factor=False)
        else:
            grid = F.interpolate(grid.contiguous(), size=(rows, columns), mode="bicubic", antialias=True)
        assert grid.shape[-2:] == (rows, columns)
        return torch.cat([self.pos_embed[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    def forward(self, images):
        height, width = images.shape[-2:]
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        if not V3:
            x = x + self.positions(height, width)
        if self.registers is not None:
            x = torch.cat([x[:, :1], self.registers.expand(len(x), -1, -1), x[:, 1:]], 1)
        rope = self.rope_embed(height // self.patch, width // self.patch) if V3 else None
        for block in self.blocks:
            x = block(x, rope)
        return self.norm(x)[:, 0]


def main(verb, weights, sizes, *paths):
    global V3
    generation, *sizes = map(int, sizes.split(","))
    V3 = generation == 3
    model = ViT(*sizes).eval()
    if verb == "make":
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.normal_(0, 0.02 if parameter.ndim > 1 else 0.1, generator=generator)
                if "norm" in name and name.endswith("weight") or "gamma" in name:
                    parameter.add_(1)
                if name in ("cls_token", "pos_embed", "register_tokens", "storage_tokens"):
                    parameter.mul_(10)
        torch.save(model.state_dict(), weights)
        return
    # The strict reader of PyTorch, and no tensor more or less.
    model.load_state_dict(torch.load(weights, weights_only=True), strict=True)
    for path in paths:
        batch, height, width = map(int, path.rsplit(".", 1)[1].split("x"))
        with open(path, "rb") as file:
            images = torch.frombuffer(bytearray(file.read()), dtype=torch.float32).reshape(batch, 3, height, width)
        with torch.no_grad(), open(path + ".features", "wb") as file:
            file.write(model(images).numpy().tobytes())



print(flush=True)
for line in sys.stdin:
    main(*line.rstrip("\n").split("\t"))
    print(flush=True)
