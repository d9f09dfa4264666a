"""A Vision Transformer in PyTorch under the official names, for tests: another program that must read what is written here, and see the same.

    features WEIGHTS SIZES IMAGES... -> IMAGES.features beside each
    make WEIGHTS SIZES               random weights by torch.save

Each line of the standard input is such a call, words apart by tabs. An empty line says that it is done, and one before that all is loaded.
SIZES is dim,depth,heads,patch,side. IMAGES is batch x 3 x height x width of float32, named NAME.BxHxW.
"""
import sys

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)


class ViT(nn.Module):
    def __init__(self, dim, depth, heads, patch, side):
        super().__init__()
        self.patch, self.side = patch, side
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + side * side, dim))
        self.patch_embed = PatchEmbed(dim, patch)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def positions(self, height, width):
        rows, columns = height // self.patch, width // self.patch
        if rows * columns == self.side**2 and height == width:
            return self.pos_embed
        grid = self.pos_embed[:, 1:].reshape(1, self.side, self.side, -1).permute(0, 3, 1, 2)
        factors = ((rows + 0.1) / self.side, (columns + 0.1) / self.side)
        grid = F.interpolate(grid, scale_factor=factors, mode="bicubic", recompute_scale_factor=False)
        assert grid.shape[-2:] == (rows, columns)
        return torch.cat([self.pos_embed[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    def forward(self, images):
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.positions(*images.shape[-2:])
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 0]


def main(verb, weights, sizes, *paths):
    model = ViT(*map(int, sizes.split(","))).eval()
    if verb == "make":
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.normal_(0, 0.02 if parameter.ndim > 1 else 0.1, generator=generator)
                if "norm" in name and name.endswith("weight"):
                    parameter.add_(1)
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
