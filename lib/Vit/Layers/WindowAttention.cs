using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>
/// Attention within windows of M × M patches, with a learned bias for every distance inside a window
/// (arXiv:2103.14030, section 3.2). Shifted, the windows straddle those of the block before.
/// </summary>
/// <remarks>
/// Rows and columns each for themselves, as in timm: where the grid is no longer than M, the window is as long as the
/// grid, and there is nothing to shift.
/// </remarks>
public sealed class WindowAttention : nn.Module<Tensor, Tensor>
{
    readonly (int Rows, int Columns) grid, window, shift;

    // They follow from the configuration, and are no part of a checkpoint. No buffers: "to" leaves those behind that are not saved.
    Tensor distances;
    Tensor? apart;

    /// <summary>One bias for every distance and head, [(2M − 1)², h] where both sides of the window are M.</summary>
    public readonly Parameter relative_position_bias_table;

    /// <summary>Query, key and value of all heads in one projection; weight [3 · D, D].</summary>
    public readonly Linear qkv;

    /// <summary>The output projection; weight [D, D].</summary>
    public readonly Linear proj;

    /// <summary>h.</summary>
    public int Heads { get; }

    /// <summary>Creates the layer.</summary>
    /// <param name="width">D, a multiple of the heads.</param>
    /// <param name="heads">h.</param>
    /// <param name="rows">Rows of the grid of patches: at most M, or a multiple of M.</param>
    /// <param name="columns">Columns of the grid of patches: at most M, or a multiple of M.</param>
    /// <param name="window">M.</param>
    /// <param name="shift">How far the windows are shifted down and right, in patches, less than M; 0 for not.</param>
    /// <exception cref="ArgumentException">The grid is no multiple of the window, D none of h, or the shift no part of a window.</exception>
    public WindowAttention(int width, int heads, int rows, int columns, int window, int shift) : base(nameof(WindowAttention))
    {
        if (heads <= 0 || width % heads != 0)
            throw new ArgumentException($"A width of {width} does not divide among {heads} heads.", nameof(heads));
        if (window <= 0 || rows <= 0 || columns <= 0 || rows > window && rows % window != 0 || columns > window && columns % window != 0)
            throw new ArgumentException($"A grid of {rows} × {columns} patches does not divide into windows of {window} × {window}.", nameof(window));
        if (shift < 0 || shift >= window)
            throw new ArgumentException($"Windows of {window} are shifted by 0 to {window - 1} patches, given was {shift}.", nameof(shift));
        (Heads, grid) = (heads, (rows, columns));
        this.window = (Math.Min(rows, window), Math.Min(columns, window));
        this.shift = (rows > window ? shift : 0, columns > window ? shift : 0);
        relative_position_bias_table = nn.Parameter(randn((2 * this.window.Rows - 1) * (2 * this.window.Columns - 1), heads) * 0.02);
        qkv = Initialization.Linear(width, 3 * width);
        proj = Initialization.Linear(width, width);
        RegisterComponents();
        // After the registration, which would take them for buffers.
        distances = Distances().DetachFromDisposeScope();
        apart = IsShifted ? Apart().DetachFromDisposeScope() : null;
    }

    bool IsShifted => shift.Rows + shift.Columns > 0;

    /// <param name="tokens">[B, rows, columns, D].</param>
    /// <returns>[B, rows, columns, D].</returns>
    /// <exception cref="ArgumentException">The tokens lie on another grid, or have another width.</exception>
    public override Tensor forward(Tensor tokens)
    {
        if (tokens.dim() != 4 || !tokens.shape[1..].SequenceEqual([grid.Rows, grid.Columns, proj.weight!.shape[0]]))
            throw new ArgumentException($"The layer takes tokens [B, {grid.Rows}, {grid.Columns}, {proj.weight!.shape[0]}], given were {Shape.Of(tokens)}.", nameof(tokens));
        using var scope = NewDisposeScope();
        FollowTheModel();
        var (B, D, M) = (tokens.shape[0], tokens.shape[3], window.Rows * window.Columns);
        var windows = Cut(IsShifted ? tokens.roll([-shift.Rows, -shift.Columns], [1, 2]) : tokens);     // [B · W, M², D]
        var parts = qkv.call(windows).reshape(-1, M, 3, Heads, D / Heads).permute(2, 0, 3, 1, 4);       // [3, B · W, h, M², d]
        var bias = relative_position_bias_table.index_select(0, distances).reshape(M, M, Heads).permute(2, 0, 1);
        var scores = matmul(parts[0], parts[1].transpose(-2, -1)) / Math.Sqrt(D / Heads) + bias;        // [B · W, h, M², M²], Eq. 4
        if (apart is not null)
            scores = (scores.reshape(B, -1, Heads, M, M) + apart.unsqueeze(1)).reshape(scores.shape);
        var attended = matmul(scores.softmax(-1), parts[2]).transpose(1, 2).flatten(2);                 // [B · W, M², D]
        var output = Assemble(proj.call(attended));
        return (IsShifted ? output.roll([shift.Rows, shift.Columns], [1, 2]) : output).MoveToOuterDisposeScope();
    }

    void FollowTheModel()
    {
        var (type, device) = (relative_position_bias_table.dtype, relative_position_bias_table.device);
        if (distances.device != device)
            distances = distances.to(device).DetachFromDisposeScope();
        if (apart is not null && (apart.dtype != type || apart.device != device))
            apart = apart.to(type, device).DetachFromDisposeScope();
    }

    /// <summary>[B, H, W, D] → [B · H / M · W / M, M², D].</summary>
    Tensor Cut(Tensor tokens) => tokens
        .reshape(tokens.shape[0], grid.Rows / window.Rows, window.Rows, grid.Columns / window.Columns, window.Columns, tokens.shape[3])
        .permute(0, 1, 3, 2, 4, 5)
        .reshape(-1, window.Rows * window.Columns, tokens.shape[3]);

    /// <summary>The inverse of <see cref="Cut"/>.</summary>
    Tensor Assemble(Tensor windows) => windows
        .reshape(-1, grid.Rows / window.Rows, grid.Columns / window.Columns, window.Rows, window.Columns, windows.shape[2])
        .permute(0, 1, 3, 2, 4, 5)
        .reshape(-1, grid.Rows, grid.Columns, windows.shape[2]);

    /// <summary>For every two patches of a window, which row of the table is theirs: [M⁴].</summary>
    Tensor Distances()
    {
        using var scope = NewDisposeScope();
        var row = arange(window.Rows).repeat_interleave(window.Columns);
        var column = arange(window.Columns).repeat(window.Rows);
        var rowDistance = row.unsqueeze(1) - row + window.Rows - 1;
        var columnDistance = column.unsqueeze(1) - column + window.Columns - 1;
        return (rowDistance * (2 * window.Columns - 1) + columnDistance).flatten().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What rolling brings into one window from opposite edges must not mix: −100, as in the paper's code, between
    /// patches of different regions, [W, M², M²].
    /// </summary>
    Tensor Apart()
    {
        using var scope = NewDisposeScope();
        // Three bands each way: untouched, cut by the shift, rolled in.
        static Tensor Bands(int length, int window, int shift) =>
            arange(length).ge(length - window).to(int64) + arange(length).ge(length - shift).to(int64);
        var regions = Bands(grid.Rows, window.Rows, shift.Rows).unsqueeze(1) * 3 + Bands(grid.Columns, window.Columns, shift.Columns);
        var windows = Cut(regions.reshape(1, grid.Rows, grid.Columns, 1)).squeeze(2);                   // [W, M²]
        return (windows.unsqueeze(1).ne(windows.unsqueeze(2)).to(float32) * -100).MoveToOuterDisposeScope();
    }
}
