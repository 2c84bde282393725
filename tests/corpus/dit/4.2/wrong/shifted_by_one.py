"""Something else is added at the end.

Shown: At index
Keeps: 2
"""


class MHA(MHA):
    def forward(self, x):
        return super().forward(x) + 1
