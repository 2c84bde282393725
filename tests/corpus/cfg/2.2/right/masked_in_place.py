"""The labels are overwritten in place where a mask is true; t has the shape b 1 1 1 … inside."""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        mask = torch.rand(y.shape[0]) < self.eta
        y[mask] = self.null_label
        t = torch.rand(batch_size, *[1] * (z.ndim - 1)).to(z) * (1 - self.eps)
        x = self.path.sample_conditional_path(z, t)
        error = self.model(x, t, y) - self.path.conditional_vector_field(x, z, t)
        return torch.square(error).mean()
