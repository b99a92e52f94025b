using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Comparing;

/// <summary>A bar chart per figure, as SVG.</summary>
internal static class Charts
{
    private const int Width = 720;

    // The exporter guesses too little for the font that viewers use.
    private const int NamesWidth = 230;

    public static void Write(string folder, List<RunResult> results, Dictionary<string, string> titles)
    {
        foreach (var figure in Figure.All)
        {
            (string Title, double Value)[] bars = [.. titles
                .Select(pair => (Title: pair.Value, Value: figure.Median(results, pair.Key)))
                .Where(bar => bar.Value is not null)
                .Select(bar => (bar.Title, bar.Value!.Value))];
            if (bars.Length > 0)
            {
                Write(Path.Combine(folder, figure.File + ".svg"), figure, bars);
            }
        }
    }

    private static void Write(string file, Figure figure, (string Title, double Value)[] bars)
    {
        var plot = new PlotModel { Title = figure.Title, TitleFontSize = 14, PlotAreaBorderThickness = new OxyThickness(0), Background = OxyColors.White, PlotMargins = new OxyThickness(NamesWidth, double.NaN, double.NaN, double.NaN) };
        var names = new CategoryAxis { Position = AxisPosition.Left, StartPosition = 1, EndPosition = 0, TickStyle = TickStyle.None };
        names.Labels.AddRange(bars.Select(bar => bar.Title));
        plot.Axes.Add(names);
        plot.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Minimum = 0, MaximumPadding = 0.15, StringFormat = "#,##0", MajorGridlineStyle = LineStyle.Dot, MinorTickSize = 0 });
        var series = new BarSeries { LabelFormatString = "{0:" + figure.Format + "}", LabelPlacement = LabelPlacement.Outside };
        series.Items.AddRange(bars.Select(bar => new BarItem(bar.Value) { Color = bar.Title.StartsWith("RawPush", StringComparison.Ordinal) ? OxyColors.SteelBlue : OxyColors.LightSlateGray }));
        plot.Series.Add(series);
        using var stream = File.Create(file);
        new SvgExporter { Width = Width, Height = 70 + 32 * bars.Length }.Export(plot, stream);
    }
}
