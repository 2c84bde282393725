"""A loop: each item with its two labels, one call for each item.

Named: The network is called 12 times
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        rows = []
        for i in range(len(x)):
            labels = torch.tensor([self.null_label, int(y[i])])
            free, given = self.net(torch.stack([x[i], x[i]]), t[i].repeat(2), labels)
            rows.append(free + self.guidance_scale * (given - free))
        return torch.stack(rows)
