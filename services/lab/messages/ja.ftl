# ページのすべての文、日本語。en.ftl と同じメッセージがあります。数と単位の間は、改行しない空白（U+00A0）です。

## すべてのページの枠

skip = 本文へ移動
nav-lessons = レッスン
nav-api = API
menu-slow = 呼び出しが遅い
menu-cut = 接続が切れる
menu-reorder = 応答の順序が入れ替わる
menu-double = 同じ処理が二重になる
menu-more = ほかの問題と、それぞれの対策
language-switch = English
wall-on = 投影
wall-off = 投影モードを終わる

## 最初のページ

home-title = 分散がなぜ難しいかを、目で見る
home-lead = お客さん 1 人が 1 回注文すると、ケーキが 2 つ予約されます。まず予想し、実行し、本物のプロセスの本物のスパンから描いた図を見てください。
home-begin = ケーキ 2 つの実験から始める
home-lessons = レッスン
home-cases = { $count ->
   *[other] { $count } 通りを図で見ます
}
home-table = 結果を表で読みます
home-storm = 2 つのレーンを同時に、1 秒ごとの図で（1 分かかります）
home-real = ここで本物なのは何か
home-real-body = 2 つのサービスが、このマシンかクラスターで動いています。実行するたびに、本物の HTTP リクエストを送ります。図はすべて、その実行の OpenTelemetry スパンから描きます。あらかじめ用意したものはありません。サービスの制限時間を変えれば図も変わり、判定もそのことを伝えます。
home-runs = 最近の実行
home-no-runs = これらのページからは、まだ実験を実行していません。

## レッスン

name-slow = 遅い
name-cut = 切れる
name-doubt = 迷い
name-double = 重複
name-local = ローカル
name-jitter = ジッター
name-recover = 回復
name-reorder = 順序
name-nature = 自然
name-policy = 方針
name-idempotent = 冪等

lesson-slow = 遅い：まったく同じタイムアウト、3 通りの真実
lesson-cut = 切れる：コミットの前でも後でも、まったく同じエラー
lesson-doubt = 迷い：予約はある。知っているのは在庫サービスだけ
lesson-double = 重複：お客さん 1 人、ケーキ 2 つ
lesson-local = ネットワーク越しの呼び出しは、ローカル呼び出しではない
lesson-jitter = ジッター：同じ注文を 20 回
lesson-recover = 失敗しても、また動く
lesson-reorder = 順序の入れ替わり：送った順に返らない
lesson-nature = 順序の入れ替わりはバグではなく自然現象
lesson-policy = タイムアウトとリトライは選ぶもの
lesson-idempotent = 冪等：キー 1 つにケーキ 1 つ

trial-slow-1 = 在庫サービスの処理に 2 s かかります。注文サービスは 1 s であきらめ、リトライしません。
trial-slow-2 = 在庫サービスは 2 s かけてから断ります。注文サービスは 1 s であきらめます。
trial-slow-3 = 在庫サービスはすぐに予約します。遅いのは応答だけで、2 s かかります。注文サービスは 1 s であきらめます。
trial-cut-1 = 在庫サービスは、コミットの前に接続を切ります。注文サービスはタイムアウトのときだけリトライするので、ここではリトライしません。
trial-cut-2 = 在庫サービスは、コミットしてから接続を切ります。応答は届きません。
trial-cut-3 = 在庫サービスは断ります。断りも 1 つの応答です。
trial-doubt-1 = 在庫サービスはすぐに予約し、応答を保留します。注文サービスは応答を待ちます。応答をどうするかは、あなたが決めます。
trial-double-1 = 試行は 2 回とも遅いです。注文サービスは 1 s であきらめ、同じ注文をもう一度送り、またあきらめます。
trial-double-2 = 遅いのは最初の試行だけです。注文サービスは 1 s であきらめ、もう一度送ります。お客さんがボタンを押したのは 1 回です。
trial-local-1 = 在庫の同じ規則を、1 つのプロセスの中で 1,000 回、HTTP 越しに 1,000 回呼び出します。
trial-jitter-1 = 在庫サービスの処理時間は、0.2 秒から 1.8 秒までの間でランダムに決まります。注文サービスは 1 s まで待ちます。同じ注文を 20 回送ります。
trial-recover-1 = 在庫サービスは、ランダムに、すぐ答えるか、失敗するか、遅くなります。注文の合間に、誰かが何かを直すことはありません。
trial-reorder-1 = 8 個の ping を同時に送ります。処理時間は 1 つずつ違います。
trial-nature-1 = 20 個の ping を同時に送るのを、50 回繰り返します。誰も遅らせません。
trial-policy-1 = 40 件の注文が同じ障害に出会います。方針は 4 つです。制限時間は 1 秒か 3 秒、リトライはありかなしです。
trial-idempotent-1 = 遅いのは最初の試行だけで、注文サービスはもう一度送ります。どちらの試行も同じ冪等性キーを持ちます。
trial-idempotent-2 = 在庫サービスはコミットしてから接続を切ります。試行は冪等性キーを持つので、注文サービスはそのキーで決まったことを聞けます。
trial-number = ケース { $number }
request = リクエスト
request-curl = curl で同じことをするには
request-powershell = PowerShell で同じことをするには

## 予想

predict = まず予想してください
predict-knows = 試行 1 が終わったとき、注文サービスに何がわかりますか。
predict-knows-held = 応答が保留されている間、注文サービスに何がわかりますか。
predict-reservations = 3 s 後、この注文の予約は何件ですか。
knows-reserved = 予約された
knows-not-reserved = 予約されていない
knows-nothing = わからない
run = 実行
run-again = もう一度実行
next-case = 次のケース
next-lesson = 次のレッスン

## 実行

running = 実験を実行しています。
running-hint = スパンが届くたびに図が伸びます。サービスは処理が終わったときにスパンを送るので、終わっていない試行の処理はまだ見えません。
running-sent = 注文を送りました。お客さんは応答を待っています。
running-answered = お客さんに応答が届きました。最後のスパンを待っています。
running-done = 図がそろいました。
so-far-name = ここまでに起きたこと
so-far = 注文はまだ終わっていません。開いたバーは、スパンからわかるかぎり、まだ終わっていません。
so-far-told = お客さんには応答が届きました。開いたバーの処理は、まだ続いているかもしれません。
so-far-held = 予約はコミットされ、応答は保留されています。
sign-open = まだ終わっていない（スパンからわかるかぎり）
know-still-waits = まだ待っています。応答はありません
know-no-span = 処理のスパンはまだ届いていません
reload = もう一度見る
run-failed = 実行に失敗しました: { $reason }
lesson-gone = そのようなレッスンはありません。
run-gone = ラボはこの実行を知りません。残しているのは、起動してからの最近 { $most } 件です。
run-busy = いまは新しい実行を始められません: { $reason }
held-question = 予約は済み、応答は保留されています。お客さんに何と伝えますか。
held-release = 応答を届ける
held-cut = 接続を切る
held-wait = 注文サービスがあきらめるまで待つ
picture = 起きたこと
picture-text = 文字で見る図
no-picture = この実行のスパンが届かなかったので、図はありません。
step = { $all } のうち { $number }
step-back = 前へ
step-next = 次へ
knows = 誰が何を知っているか

ledger = 台帳
ledger-told = お客さんに伝えたこと
ledger-known = お客さんが知っている予約
ledger-made = 在庫サービスが行った予約
ledger-gap = 食い違い
reservations = { $count ->
   *[other] { $count } 件
}
outcome-confirmed = 確定
outcome-failed = 失敗（確定）
outcome-unknown = 結果不明
gloss-confirmed = 「予約できました」という応答です。予約は確かにあります。
gloss-failed = 「注文に失敗しました」という応答です。予約がないことは確かです。
gloss-unknown = 「注文に失敗しました」という応答ですが、在庫サービスの応答が届かなかっただけです。予約されたかは、わかりません。
after = { $seconds } s 後

## 何が見えましたか

observe = 何が見えましたか
observe-commit = この注文の最後のコミットは、いつでしたか。
commit-before = お客さんに伝える前
commit-after = お客さんに伝えた後
commit-never = コミットはなかった
observe-send = 判定を見る

## 判定

verdict = 判定
verdict-shown = 証拠に現れています。
verdict-incomplete = スパンが欠けているので、わかりません。
verdict-not-shown = 期待した現象は起きませんでした。
verdict-question = 質問
verdict-yours = あなたの答え
verdict-evidence = 証拠が示すこと
verdict-right = 合っています
verdict-wrong = 違います
verdict-none = 答えなし

links = もっと詳しく
link-jaeger = このトレースを Jaeger で見る
link-grafana = この時刻を Grafana で見る
link-json = この実行（JSON）
link-markdown = この実行（アシスタント用のテキスト）
table = 測ったこと
state-running = 実行中
state-failed = 失敗
state-shown = 現れた
state-incomplete = 不完全
state-not-shown = 現れなかった

## 図の中のことば

picture-title = 1 件の注文の時空図。時間は下へ、メッセージは横へ進みます
lane-customer = お客さん
lane-order = 注文サービス
lane-inventory = 在庫サービス
message-order = 注文
message-attempt = 試行 { $number }
message-question = 状態を聞く
end-timeout = タイムアウト
end-connection-lost = 接続断
end-connection-refused = 接続拒否
note-commit = コミット: { $item } { $before } → { $after }
commit-is-late = 遅れてコミット（待つ人なし）
commit-is-duplicate = この注文の 2 回目
commit-is-both = 遅れてコミット、2 回目
note-cut = 接続を切る
note-given-up = 試行 { $number } をあきらめる
note-unknown = 予約されたかは、わからない
note-nothing-sent = 何も送られていない
note-caller-left = もう誰も待っていない
note-answer-dropped = 応答は誰にも届かない
note-replayed = 記録済み応答の再送：在庫は減らない
note-void = キーは無効：遅すぎ、在庫は減らない
note-settled = キーで聞いた結果：{ $outcome }
of-attempt = 試行 { $number }
fault-slow = 待ってからコミット
fault-fail = 断る
fault-slowfail = 待ってから断る
fault-abort = コミットの前に切る
fault-lostreply = コミットしてから切る
fault-slowreply = コミットしてから待つ
fault-hold = コミットし、応答を保留
fault-race = 読み、待ち、書き戻す
sign-waits = 待っている
sign-works = 処理中、呼び出し元は待つ
sign-unheard = 処理中、誰も待たない
sign-commit = コミット
sign-late = 遅れたコミット
sign-duplicate = 1 つの注文の 2 回目
sign-timeout = あきらめる
sign-lost = 届かなかった
left-out = 描いていないものが、ほかに { $count } 個

## 誰が何を知っているか

know-nothing-yet = まだ何も知りません
know-asked = 注文を 1 回送りました
know-waits = 待っています。予約されたかは、まだわかりません
know-told = 伝えられた結果：{ $outcome }
know-is-reserved = 予約があると知っています
know-is-not-reserved = 何も予約されていないと知っています
know-cannot = 予約されたかは、わかりません
know-attempt-waits = 試行 { $number }：応答を待っています
know-attempt-reserved = 試行 { $number }：応答は { $status }。予約されました
know-attempt-refused = 試行 { $number }：応答は { $status }。予約されていません
know-attempt-not-sent = 試行 { $number }：何も送られず、予約されていません
know-attempt-unknown = 試行 { $number }：応答なし（{ $reason }）。予約されたかは、わかりません
know-exactly = 予約の数：確かに { $count }
know-between = 予約の数：{ $certain } から { $possible } の間
know-works = 試行 { $number }：処理しています
know-not-committed = 試行 { $number }：何もコミットしていません
know-committed = 試行 { $number }：コミットしました
know-committed-again = 試行 { $number }：コミットしました。この注文の 2 回目です
know-replayed = 試行 { $number }：キーで決まった応答を再送し、在庫は減りません
know-void = 試行 { $number }：キーは無効で、在庫は減りません
know-question = 注文がどうなったかを聞きました
know-settled = キーで在庫サービスに聞きました：{ $outcome }
know-caller-left = 試行 { $number }：呼び出し元はもういません
know-answer-sent = 試行 { $number }：応答しました。届いたかは、わかりません
know-answer-cut = 試行 { $number }：接続を切り、応答は出ていません
know-nobody-left = 試行 { $number }：応答する相手はもういませんでした

## 自由に試す

name-free = 自由
lesson-free = 自由に試す：自分の注文を書く
trial-free-1 = 在庫サービスが試行ごとに何をするか、注文サービスがもう一度送るかを選びます。
free-item = 商品
free-quantity = 個数
free-first = 試行 1 の障害
free-second = 試行 2 の障害
free-retry = タイムアウトの後にもう一度送る
free-limit = 試行ごとの制限時間（ミリ秒。空ならサービスの設定）
free-command = コマンドを見る
free-faults = 障害のことば
free-no-limit = 「{ $limit }」は制限時間にできません。ミリ秒の整数を書いてください。
fault-none = 何もしない
fault-flaky = ランダムに、答えるか、失敗するか、遅くなる
fault-jitter = 0.2 秒から 1.8 秒の間でランダムに待ってからコミット

## 1 つの当事者には区別できない世界

worlds-title = { $count ->
    [3] 3 つの世界、1 つの見え方
   *[other] 2 つの世界、1 つの見え方
}
worlds-lead = 実験全体を、注文 1 件ずつ順に実行します。そのあと、{ $faults } の実行を、注文サービスが送ったこと、受け取ったこと、行ったことで比べます。
worlds-predict = まず予想してください。注文サービスは、どの出来事でこれらの実行を区別できますか。
worlds-saw = 注文サービスが送ったこと、受け取ったこと、行ったこと
worlds-same = 注文サービスには区別できません（確認済み：{ $runs } 回の実行、同じ { $events } 個の出来事）。
worlds-picture = 同じ注文の複数の実行を 1 つにした図。お客さんと注文サービスは 1 回だけ、在庫サービスは実行ごとに描きます
worlds-overlaid = お客さんと注文サービスの動きはどの実行でも同じなので、1 回だけ描きます。違うのは在庫サービスの列だけです。時刻は省いてあり、表にあります。
worlds-times = 時刻は比べていません。時刻は表にあります。
worlds-differ = 注文サービスは、出来事 { $number } で区別できます。
worlds-lost = 注文サービスに区別できるかどうかは、わかりません。注文サービスのスパンが欠けているか、誤っています：{ $faults }。
worlds-each = それぞれの実行
event-order = 注文を受け取った
event-attempt = 試行 { $number } を送った
event-answer = 試行 { $number } の応答 { $status } を受け取った
event-no-answer = 試行 { $number } は応答なし：{ $reason }
event-told = お客さんに伝えた：{ $outcome }
event-question = 注文がどうなったかを聞かれた
event-none = これ以上なし

## 注文のスパン

spans = スパン、ログ、属性
span-name = スパン
span-start = 開始
span-when = 時間軸
span-duration = 所要時間
spans-left-out = 表示していないスパンが、ほかに { $count } 個あります。
logs = ログ
logs-none = これらのスパンのログは、ラボに届いていません。たとえば、サービスがログを送っていない場合です。
logs-left-out = 表示していないこのトレースのログが、ほかに { $count } 行あります。

## ケースの結果

two-sentences = { $first }{ $second }
comma = 、
semicolon = 、
arrow = {" -> "}
customers = { $count ->
   *[other] お客さん { $count } 人
}
commit-at = {" "}{ $time } 後
commit-sometime = その後
instead = 期待した現象は起きませんでした。{ $seen }
by-chance = 偶然こうなることもあります。別の --seed を試してください。

why-slow-1 = お客さんには { $after } 後に「{ $words }」と伝わりました。在庫サービスが予約をコミットしたのは{ $commit }です。注文は失敗したのではなく、結果不明でした。
why-slow-2 = お客さんに伝わったことは同じです。実際には、何も予約されていません。
why-slow-3 = お客さんに伝わったことは同じです。実際には、注文サービスがあきらめる前に、ケーキは予約されていました。
why-cut-1 = 応答がないので、結果不明です。実際には、何も予約されていません。
why-cut-2 = 応答がないので、結果不明です。実際には、ケーキは予約されています。
why-cut-3 = 在庫サービスは断りました。注文は失敗（確定）で、ケーキは予約されていません。
why-doubt-1 = 誰かが決める前に、ケーキは予約されていました。{ $then }応答がどうなっても予約は残ります。それを知らせることができるのは、応答だけです。
doubt-released = 応答は届き、お客さんには { $after } 後に確定と伝わりました。
doubt-was-cut = 接続が切れ、お客さんには { $after } 後に「{ $words }」と伝わりました。結果不明です。
doubt-waited = 応答は届かず、お客さんには { $after } 後に「{ $words }」と伝わりました。結果不明です。
why-double-1 = お客さんには { $after } 後にエラー（「{ $words }」）が伝わり、結果不明でした。在庫サービスは 2 件予約しました。最後の予約は{ $commit }です。
why-double-2 = お客さんには { $after } 後に確定と伝わり、知っているケーキは 1 つです。在庫サービスは最初の試行を{ $commit }にコミットしました。お客さん 1 人に、ケーキ 2 つです。
why-double-reordered = 試行 2 は試行 1 より先にコミットされました。リトライによって順序も入れ替わりました。
why-local-1 = 中央値で比べると、ネットワーク越しの呼び出しには、ローカル呼び出しの { $times } 倍の時間がかかりました。最も遅い呼び出しは { $slowest } でした。失敗は { $calls } 回のうち { $failures } 回です。ローカル呼び出しが途中で失われることはありません。
why-jitter-1 = 同じ注文 { $orders } 件のうち、{ $confirmed } 件が確定し、{ $late } 件がタイムアウトしました。最も速い応答は { $shortest } 後、最も遅い応答は { $longest } 後でした。在庫サービスは { $made } 件予約しました。制限時間で分かれるのは、注文の良し悪しではありません。偶然で分かれます。
why-recover-1 = 注文 { $orders } 件のうち、{ $confirmed } 件が確定し、{ $failed } 件が失敗し、{ $unknown } 件が結果不明です。1 回の失敗から、次の注文のことは何もわかりません。
why-reorder-1 = ping の組 { $pairs } 通りのうち、{ $inversions } 通りで応答の順序が入れ替わりました。応答は、リクエストと違う順序で届くことがあります。
why-nature-1 = どの ping も遅らせていないのに、{ $rounds } 回のうち { $reordered } 回で、後の応答が先に届きました。{ $pairs } 組のうち { $overtook } 組です。これはバグではありません。ping は並行に進み、並行する処理の順序は何も保証しません。順序が大切なら、メッセージに番号を付けてください。
why-policy-1 = 1 s でリトライなしだと、{ $orders } 件のうち { $short } 件が確定しました。リトライすると { $retried } 件に増えますが、在庫サービスは { $doubled } 件の注文を二重に予約しました。制限を 3 s にすると結果不明は { $unknown } 件から { $long } 件になりますが、お客さんの 20 人に 1 人は { $p95 } 以上待ちます。正しい方針はありません。どの代償を払うかを決めてください。
why-storm-1 = 嵐の前と後で、来るお客さんの数は同じです。対策なしのレーンが応じられたお客さんは、嵐の前は毎秒 { $before } 人、最後の 10 秒は毎秒 { $naive } 人でした。お客さん 1 人に { $attempts } 回の試行がかかりました。そのため待ち行列は { $wait } になり、どの試行も 1 秒であきらめました。在庫サービスは、呼び出し側が去ったリクエストを { $late } 件処理しました。対策ありのレーンは、最後の 10 秒に毎秒 { $cured } 人に応じました。リトライを { $retries } 回送り、{ $refused } 回は予算が断ったので、待ち行列は短くなりました。原因はどちらのレーンでもなくなりました。対策なしのレーンでは、リトライが代わりの原因になりました。これをメタステーブル障害と呼びます。
why-idempotent-1 = お客さんには { $after } 後に確定と伝わりました。試行は 2 回ともコミットに着きました。1 回がケーキを 1 つ取り（{ $commit }）、もう 1 回は記録済みの応答を受け取り、何も取りませんでした。お客さん 1 人に、ケーキ 1 つです。
why-idempotent-2 = 応答が消えたので、お客さんには { $after } 後に 202、つまり失敗ではなく結果不明と伝わりました。注文サービスはキーで在庫サービスに聞きました。注文から { $later } 後、お客さんは確定を知りました。ケーキは 1 つです。
why-compare-cut = お客さんには { $after } 後にエラー（「{ $words }」）が伝わり、もう一度注文しました。サービスにとって、それは新しい注文です。最初の注文から { $later } 後に確定と伝わり、知っているケーキは 1 つです。在庫サービスの予約は 2 件です。
why-kill-1 = { $customers }に確定と伝わりましたが、在庫サービスがまだ知っているのは { $known } 件だけです。削除された Pod はそのうち { $lost } 件を確定していましたが、データは失われました。
why-kill-kept = { $customers }に確定と伝わり、在庫サービスはその予約をすべて知っています。そのうち { $kept } 件は、削除された Pod が確定しました。予約はデータベースにあり、データベースは Pod の後も残ります。
why-kill-between = { $count ->
   *[other] そのうち { $count } 件
}は、Kubernetes が Pod に終了を伝えたとき、コミットと応答の間にありました。
why-rollout-1 = 注文サービスの Pod がすべて入れ替わる間に、{ $customers }が注文しました。全員に確定と伝わり、在庫サービスの予約はちょうど { $made } 件です。新しい Pod がほかの注文を受ける間に、古い Pod は { $between } 件を最後まで処理しました。
why-free-1 = 注文は { $after } 後に{ $outcome }と伝わりました。在庫サービスの予約は { $made }、最後の予約は{ $commit }です。
why-free-none = 注文は { $after } 後に{ $outcome }と伝わりました。在庫サービスの予約は { $made }です。

seen-no-stock = ほかの人の注文で、在庫がなくなりました。もう一度実行してください。
seen-order = 注文は { $after } 後に{ $outcome }、試行の結果は{ $results }、在庫サービスの予約は { $made }でした。{ $hint ->
    [limit] タイムアウトは起きていません。注文サービスの --attempt-timeout が 2 s 以上になっていませんか。
    [in-time] タイムアウトは起きていません。
   *[none] {""}
}
result-ok = 成功
result-rejected = 拒否
result-timeout = タイムアウト
result-connection_lost = 接続断
result-refused = 接続拒否
seen-reorder = { $pings } 個の ping のうち { $answered } 個に応答があり、順序が入れ替わった組は { $inversions } でした。偶然、送った順に返ることもあります。別の --seed を試してください。
seen-nature = { $rounds } 回とも、応答は送った順に返りました。マシンに余裕があると、こうなることがあります。もう一度、またはマシンが忙しいときに実行してください。
seen-policy = 試していない方針があります。
seen-storm = 嵐の前は毎秒 { $before } 人に応じました。対策なしのレーンは最後の 10 秒で { $naive } 人でした（半分未満のはずでした）。対策ありのレーンは、嵐の 10 秒後から { $later } 人、最後の 10 秒で { $cured } 人でした（95 % 以上のはずでした）。対策なしのレーンの試行はお客さん 1 人に { $attempts } 回、遅れて届いたコミットは { $late } 件、待ち行列は { $wait }、対策ありのリトライは { $retries } 回（送らなかったもの { $refused } 回）でした。
seen-no-calm = 嵐の前に応じられたのは毎秒 { $rate } 人のうち { $before } 人、対策なしのレーンの待ち行列は最後に { $wait } でした。このコンピューターは忙しすぎて、嵐と自身の遅さを区別できません。
seen-old-pods = { $service } の古い Pod がまだ応答しているか、どの Pod も応答しなくなりました。コマンドは正しいクラスターで実行しましたか。
seen-pods = { $service } の Pod はすべて入れ替わりました。{ $customers }のうち、{ $yes } 人に確定と伝わり、{ $silent } 人は注文の結果を知りません。在庫サービスの予約は { $made }です。

incomplete = 証拠が不完全です：{ $flaws }。
incomplete-and-more = 証拠が不完全です：{ $flaws }、ほかに { $more } 個。
flaw-missing = { $part }がない
flaw-ambiguous = { $part }の候補が 2 つ以上ある
flaw-contradictory = { $part }が応答と矛盾する
flaw-customers = { $all }のうち { $lost } 人のスパンがない
flaw-orders = 注文 { $count } 件のスパンを読めなかった
part-order = 注文サービスの、注文のスパン
part-attempt = 注文サービスの、試行 { $number } のスパン
part-server-attempt = 在庫サービスの、試行 { $number } のスパン
part-fault = 試行 { $number } の障害のスパン
part-commit = 試行 { $number } のコミット
part-pings = 注文サービスの、ping のスパン
part-ping = ping { $number } のスパン

side-by-side = 並べて比べる
row-client-saw = 呼び出し側が見たもの
row-outcome = 注文の結果
row-told = お客さんに伝えたこと
row-made = 在庫サービスの予約
row-committed = コミット
told-after = { $after }後に { $status }
committed-never = なし
client-saw-refusal = 拒否（{ $status }）
client-saw-nothing = なし
policy-short = 1 s、なし
policy-short-retry = 1 s、あり
policy-long = 3 s、なし
policy-long-retry = 3 s、あり
identical-orders = 同じ注文
flaky-orders = 偶然に失敗する注文

## コマンドラインのレッスン

title-local = 同じ規則を、ローカル呼び出しとネットワーク越しで
title-slow = まったく同じタイムアウト、3 通りの真実
title-jitter = 同じ注文を 20 回。間に合うものと、間に合わないもの
title-cut = コミットの前で切れても後で切れても、まったく同じエラー
title-doubt = 予約済み。知っているのは在庫サービスだけ。何と伝えますか
title-recover = 失敗しても、また動く。誰も直していない
title-reorder = 送った順と、応答の順が違う
title-nature = 誰も ping を遅らせない。それでも応答が追い越す
title-double = お客さん 1 人に、ケーキ 2 つ
title-policy = 同じ 40 の障害に、4 つの方針
title-storm = 過負荷のあと、対策なしのリトライは遅さを長引かせ、リトライ予算は終わらせる
title-idempotent = キー 1 つにケーキ 1 つ：安全なリトライと、終わりのある結果不明
title-kill = 消した Pod がお客さんに伝えた予約は、残るか、消えるか（クラスター用）
title-rollout = 注文サービスの Pod をすべて入れ替えても、誰も気づかない（クラスター用）
title-free = 自分で書いた注文

caption-local-1 = このプロセスの中で 1,000 件、両方のサービスを通して 1,000 件を予約します。
caption-slow-1 = 在庫サービスの処理に 2 s かかります。注文サービスは 1 s であきらめ、リトライしません。
caption-slow-2 = 在庫サービスは 2 s かけてから断ります。
caption-slow-3 = 在庫サービスはすぐに予約します。遅いのは応答だけで、2 s かかります。
caption-jitter-1 = 同じ注文を 20 回送ります。在庫サービスの処理には、毎回 0.2 s から 1.8 s かかります。
caption-cut-1 = コミットの前に接続が切れます。注文サービスはタイムアウトのときだけリトライするので、ここではリトライしません。
caption-cut-2 = コミットの後、応答の前に接続が切れます。
caption-cut-3 = 在庫サービスは断ります。断りも 1 つの応答なので、結果は確かです。
caption-doubt-1 = 在庫サービスはすぐに予約し、応答を保留します。注文サービスは待ちます。
caption-recover-1 = 注文は 12 件です。在庫サービスは、35 % で失敗し、35 % で遅くなります。
caption-reorder-1 = 8 個の ping を同時に送ります。遅延は 1 つずつ違います。
caption-nature-1 = 20 個の ping を同時に、遅延なしで送り、50 回繰り返します。順序の入れ替わりはバグでしょうか。
caption-double-1 = 試行は 2 回とも遅いので、注文サービスは 2 回あきらめます。
caption-double-2 = 遅いのは最初の試行だけです。リトライはすぐに成功します。
caption-policy-1 = どの方針も、同じ 40 の障害に出会います。半分は障害なし、残りは遅延、失敗、応答消失です。
caption-storm-1 = 在庫サービスがさばける速さで、お客さんが来ます。3 秒間だけ、その 3 倍のお客さんが加わります。ケーキを得られなかったお客さんは、最大 5 回まで押し直します。両方のレーンが、それぞれのサービスで同時に進みます。対策ありのレーンのお客さんは、押すたびに同じキーを送ります。
caption-idempotent-1 = 遅いのは最初の試行だけです。どちらの試行も同じ冪等性キーを持ちます。
caption-idempotent-2 = 応答はコミットの後に消えます。注文サービスは、キーで決まったことを聞きます。
caption-compare-cut = 応答はコミットの後に消えます。聞くためのキーがないので、お客さんはもう一度注文します。
caption-kill-1 = お客さんが注文している間に、在庫サービスの Pod を削除します。
caption-rollout-1 = お客さんが注文している間に、注文サービスの Pod をすべて入れ替えます。
caption-free-1 = 注文と障害は、あなたが選びました。

look-jaeger-local = ネットワーク越しの呼び出しには、スパンが 4 つあります。規則そのものは最も短い部分です
look-grafana-local = order_outcomes_total{"{"}outcome="confirmed"{"}"} が 1,000 増えます
look-jaeger-slow = 在庫サービスのスパンは、その上にある試行より長く続きます。コミットを探してください。終わりにあるか、始めにあるか、ないかです
look-grafana-slow = order_outcomes_total{"{"}outcome="unknown"{"}"} に段差が 3 つ、inventory_reservations_total に 2 つ、inventory_late_commits_total に 1 つできます
look-jaeger-jitter = この実行のタグで検索してください。注文は同じで、長さは違います
look-grafana-jitter = 在庫サービスのヒストグラムは広がり、order_outcomes_total は確定と結果不明を数えます
look-jaeger-cut = 切れた試行は 2 つとも error.type=connection_lost で終わりますが、コミットがあるのは片方だけです
look-grafana-cut = order_attempts_total{"{"}result="connection_lost"{"}"} には切断のたびに段差ができ、inventory_fault_reservations_total には lostreply のときだけできます
look-jaeger-doubt = スパン "chaos hold" は、コミットから、あなたが終わらせるまでの時間です
look-grafana-doubt = inventory_fault_reservations_total{"{"}fault="hold"{"}"} の段差はすぐに、order_outcomes_total の段差は最後にできます
look-jaeger-recover = エラーで終わる注文があり、その次の注文は確定しています
look-grafana-recover = order_outcomes_total は 3 つの結果をすべて数えます
look-jaeger-reorder = 8 個の ping は同時に始まります。番号は、終わった順に並んでいません
look-grafana-reorder = order_reordered_replies_total に、先に送った ping より早く届いた応答の数だけ段差ができます
look-jaeger-nature = 1 回分の ping は同時に始まり、それぞれ約 1 ミリ秒で終わります
look-grafana-nature = 障害がなくても order_reordered_replies_total が増えます
look-jaeger-double = 1 件の注文の下に試行が 2 つ並び、どちらにもコミットがあります。2 つ目は http.request.resend_count=1 です
look-grafana-double = inventory_duplicate_reservations_total に段差ができます。予約の数が、確定した注文の数より多くなります
look-jaeger-policy = 注文の方針は campuscafe.order.attempt_timeout_ms でわかります
look-grafana-policy = order_retries_total と inventory_duplicate_reservations_total に段差ができます
look-jaeger-storm = 遅い試行には、queue という長いスパンがあります
look-grafana-storm = 行 Retries：注文あたりの試行と待ち行列が高いままです
look-jaeger-idempotent = 1 つの注文の下に試行が 2 つ、コミットは 1 つ。遅い試行には campuscafe.idempotency.replayed=true があります
look-grafana-idempotent = inventory_idempotent_replays_total が 1 つ、inventory_reservations_total は注文ごとに 1 つ増えます
look-jaeger-kill = タグ service.instance.id が Pod の名前です。古い名前で inventory を検索してください
look-grafana-kill = inventory_reservations_total は 0 に戻り、order_outcomes_total は続き、再起動のパネルは 1 を数えます
look-jaeger-rollout = 古い Pod の注文も新しい Pod の注文も、すべて完全です。タグ service.instance.id が Pod の名前です
look-grafana-rollout = カウンターは Pod ごとにあります。古い Pod の線は終わり、新しい線が 0 から始まります

## コマンドライン

cli-experiment = 実験 { $name }：{ $title }
cli-summary = まとめ
cli-farewell = この実行のサービスは終了しました。サービスとトレースを残すには、別の端末でカフェ（`campuscafe`、または `cargo run --release`）を起動してから、もう一度実行してください。
cli-open-cafe = 注文の送り先は、開いているカフェ { $url } です。
cli-open-cafe-own = （--own を付けると、別のサービスを起動します。）
cli-own-services = この実行では専用のサービスを起動し、最後に停止します。
asked-order = chaos "{ $chaos }"、リトライなし
asked-retry = chaos "{ $chaos }"、retryOnTimeout
asked-idempotent = { $asked }、冪等性キーあり
asked-pings = ping { $count } 個、シード { $seed }
asked-rounds = ping { $count } 個を { $rounds } 回、遅延なし
asked-calls = それぞれ { $calls } 回、1 回ずつ順に呼び出し
asked-storm = お客さんは毎秒 { $rate } 人、在庫サービスは毎秒 { $capacity } 件、全体で { $seconds } 秒
asked-series = シード { $seed }、{ $most ->
    [1] 1 件ずつ
   *[other] 同時に { $most } 件まで
}
asked-pods = chaos "{ $chaos }"、リトライなし。最初に { $service } の Pod を調べます
word-incomplete = { $word }（証拠は不完全）

held-facts =
    予約は済み、応答は保留されています（GET /inventory/holds）：
      { $request }
      { $item } x{ $quantity }、予約 { $reservation }
    お客さんは待っています。注文サービスも、最大 { $limit } 待ちます。
    どちらも、まだ何も知りません。
held-ask =
    いま、お客さんに何と伝えますか。応答をどうするか、決めてください：
      release   応答を届ける
      cut       接続を切る
      wait      注文サービスがあきらめるまで、何もしない
    このうち 1 語を入力して、Enter を押してください：
held-expected = release、cut、wait のどれかを入力してください：
held-releases = ラボが応答を届けます（--answer release）。
held-cuts = ラボが接続を切ります（--answer cut）。
held-undecided = 決まる前に、注文サービスがあきらめました。
held-waits = ラボは注文サービスがあきらめるまで待ちます（--answer wait）。

look = もっと詳しく
look-jaeger = Jaeger：{ $what }
look-jaeger-search = Jaeger：検索で、サービス order とタグ { $tag }={ $run } を指定すると、この実行のトレースがすべて見つかります
look-grafana = Grafana：{ $what }
look-trace = トレース { $id }
look-dashboard = この時刻のダッシュボード
look-no-jaeger = Jaeger（{ $url }）が応答しません
look-no-trace = { $limit }以内に、このトレースが Jaeger（{ $url }）に届きませんでした
look-no-grafana = Grafana（{ $url }）が応答しません

drawn-order-service = 注文サービス
drawn-given-up = 試行 { $number } をあきらめる
drawn-cut = 試行 { $number } の接続を切る
drawn-caller-left = 試行 { $number } を誰も待っていない
drawn-dropped = 応答 { $number } は誰にも届かない
drawn-replayed = 試行 { $number } は再送: 在庫は減らない
drawn-void = 試行 { $number } のキーは無効: 在庫は減らない
drawn-settled = キーで聞いた結果: { $outcome }
drawn-fault = { $fault }: { $does }
drawn-commit = コミット { $item } { $before } -> { $after }
drawn-again = { $commit }、2 回目
drawn-late = { $commit }、遅れて届いた
drawn-no-connection = 接続できず
drawn-failed = 失敗
drawn-legend = # 処理中   . 処理中（誰も待たない）   * コミット   x 切断、またはあきらめた
drawn-incomplete = スパンに欠けや誤りがあるので、図は不完全です。
drawn-no-traces = サービスがトレースを記録していません（OTEL_SDK_DISABLED ですか）。
drawn-no-source = スパンを読む場所がありません（--lab-url か --jaeger-url）。
drawn-no-root = ルートスパンが時間内に届かなかったので、図はありません。
only-ledger = 判定は台帳だけによります。

row-is = 結果
row-then = その後、お客さんは
row-is-then = その結果
row-history = 注文の状態
row-knows = お客さんが知る予約
row-others = ほかの人の注文
row-gap = 食い違い
cell-told = { $status }「{ $words }」
cell-is = { $outcome }、{ $after } 後
cell-again = 同じものをもう一度注文
cell-asked-state = GET /orders/{"{"}orderId{"}"} で質問
cell-history = { $states }
order-placing = 注文中
order-cancelling = 取り消し中
order-cancelled = 取り消し済み
cell-made = { $made }、{ $item } の残り { $before } -> { $after }
cell-made-in-total = { $made }（合計）、{ $item } の残り { $before } -> { $after }
cell-others = その間に { $pieces } 個。下のカウンターには、その分も入っています
gap-none = なし。お客さんは、在庫サービスにある予約を知っています
gap-unheard = なし。ただし、お客さんはそれを知りません
gap-more = どのお客さんも知らない予約が { $made }
gap-false = お客さんに伝えた予約が、実際にはありません
stock-other-item = 在庫サービスは cake を知らないので、{ $item } を注文します。
stock-delivered = { $quantity ->
   *[other] { $item } を { $quantity } 個納品しました。在庫は { $before } 個でした。
}
stock-surplus = スクリプトの前に { $item } を { $pieces } 個注文しました。残りはちょうど { $left } 個です。
stock-delivered-pieces = { $quantity } 個納品しました。在庫は { $before } 個でした。
counters = カウンターの段差
gloss-order-failed = （意味：注文は失敗しました）
gloss-retry-failed = （意味：リトライも失敗しました）
gloss-first-try = （意味：1 回目で予約しました）
gloss-after-retry = （意味：タイムアウト後のリトライで予約しました）

pings-sent = 送信
pings-delay = 遅延 (ms)
pings-answered = 応答
pings-inversions = 入れ替わった組
pings-arrived = 到着
rounds-pairs = 入れ替わった組
rounds = 回数
bin-none = なし
bin-range = { $from } から { $to }
bin-more = { $from } 以上
calls-local = ローカル呼び出し
calls-remote = ネットワーク越し
calls-failures = 失敗
bars-order = 注文
bars-legend = = 待っている   x あきらめた   - 誰も待たない   * 遅れて届いたコミット
bars-made-0 = 予約なし
bars-made-1 = 予約あり
bars-made-2 = 二重に予約
col-policy = 制限、リトライ
storm-chart = グッドプット：ケーキの予約を知らされたお客さんの数（毎秒）
storm-mark = 嵐
storm-naive = 対策なし
storm-cured = 対策あり
storm-goodput = グッドプット
storm-work = 処理
storm-never = 戻らず
storm-after = { $seconds } 秒
col-before = 前
col-storm = 嵐
col-later = 10 秒後
col-end = 最後
col-back = 回復まで
col-attempts = 試行／人
col-retries = リトライ
col-refused = 送らず
col-late = 遅延確定
col-queue = 最大待ち
col-doubled = 重複
col-calls = 呼び出し
col-reserved = 予約
saw = 注文サービスが見たこと
worlds-differ-each = { $each }。
## 2 つのレーン

compare-heading = 比較 { $name }: { $title }
title-compare-double = リトライは注文を二重にし、キーがあれば二重になりません
title-compare-cut = 応答が消えた：もう一度注文するか、決まったことを聞くか
compare-title = 2 つのレーン：{ $title }
compare-lead = 同じ手順を、同じシードで 2 回実行します。最初は対策なし（naive）、次は対策あり（cured）です。2 つの図は同じ時間軸に並びます。
compare-predict = まず予想してください。それぞれのレーンに予約は何件残り、お客さんはそのうち何件を知っていますか。
compare-predict-storm = まず予想してください。嵐は 3 秒続きます。最後の 10 秒に、それぞれのレーンは毎秒何人のお客さんに応じますか。
compare-link = 2 つのレーン
compare-each = それぞれのレーン
catalogue-compare = 対策を見る：2 つのレーンを並べて比較
keys = キーで決まったこと
keys-then = スクリプトが終わったときの、在庫サービスの記録です。一度決まったキーは、二度と変わりません。
keys-none = このスクリプトの呼び出しには、冪等性キーがありません。
keys-now = 在庫サービスの今の記録です。一度決まったキーは、二度と変わりません。
key-key = キー
key-state = 状態
key-age = 経過時間
key-holds = 持っているもの
key-reserved = 予約済み
key-refused = 断られた（在庫不足）
key-cancelled = 取り消し済み
key-void = 無効（このキーではもう予約できない）
key-seconds = { $seconds } 秒
key-reservation = { $item } x{ $quantity }
key-nothing = なし
key-line = { $state }、{ $age }前、持っているもの: { $holds }
compare-naive = 対策なし（naive）
compare-cured = 対策あり（cured）
compare-told = お客さんが知る予約
compare-made = 在庫サービスの予約
compare-gap = 食い違い
compare-count = { $count }
compare-shown-gap = 同じ手順を 2 つのレーンで実行しました。naive の食い違いは { $naive }、cured の食い違いは { $cured } です。
compare-shown = 同じ手順を 2 つのレーンで実行しました。問題は naive では起き、cured では起きません。
compare-no-pain = naive で問題が起きなかったので、直すものがありませんでした。
compare-no-cure = cured は約束を守りませんでした。
compare-incomplete = スパンが欠けているので、何とも言えません。

pods-command =
    毎秒 5 人のお客さんが注文します。次の Pod が応答しています：
      { $pods }
    別の端末で、次のコマンドを実行してください。すべてのお客さんに
    新しい Pod が応答すると、実験は終わります：
pods-pod = { $service } の Pod
pods-told = 伝えたこと
pods-customers = 人数
pods-from = 開始
pods-to = 終了
pods-unknown = 不明（スパンが欠けている）
pods-none = なし
pods-last = お客さん { $number }：古い { $service } の Pod の最後の 1 人
pods-yes = 確定と伝わった
pods-no = 失敗または結果不明
pods-knows = 在庫サービスが知る予約
pods-gap-none = なし
pods-gap-fewer = お客さんが知る数より { $made }少ない

## コマンドラインのラボと負荷

up-open = CampusCafe が開きました。ブラウザーで { $lab } を見てください。
up-order = 注文を受ける。タイムアウトであきらめる
up-inventory = 在庫を持つ。遅くすることもできる
up-lab = 両方のトレースを保存する
up-try = 別の端末で試してください：
up-step-1 = ケーキを注文します。在庫サービスは 1 回だけ遅くなります：
up-step-2 = 2 秒後に在庫を見ます。注文は 1 件、減ったケーキは 2 つです。
up-step-3 = なぜそうなったかを見ます：
up-stop = Ctrl-C で、すべて終了します。

load-title = 負荷：毎秒 { $rate } 件を { $seconds } s、{ $mix }、{ $retry }、シード { $seed }
load-retry = タイムアウトでリトライ
load-no-retry = リトライなし
load-retry-keyed = タイムアウトでリトライ、冪等性キーあり
load-no-retry-keyed = リトライなし、冪等性キーあり
load-settling = 決着づけ中の結果不明の注文 { $count } 件を、最大 { $limit } s 待ちます。Ctrl-C で終わります
load-settled = 初めは結果不明だった注文のうち、{ $confirmed } 件が確定し、{ $failed } 件が失敗し、{ $unknown } 件がまだ結果不明です。
load-answered = 応答あり
load-answered-cell = { $count } 件、毎秒 { $rate } 件
load-not-sent = 送信せず
load-all-sent = 0 件。すべての注文を予定どおり送りました
load-some-not-sent = { $count } 件。同時に処理できるのは { $most } 件まで（--max-in-flight）
load-under-way = 処理中
load-under-way-cell = 終わりの時点で { $count } 件
load-orders = 注文
load-share = 割合
load-shed = 受付拒否
load-no-answer = 応答なし
load-times = 時間は、注文を送る予定の時刻から測ります。待ち行列の時間も入ります。
load-made = 行った予約
load-gap = どのお客さんも知らない予約が { $count } 件
load-late = 遅れて届いたコミット
load-duplicates = 重複
load-no-delivery = 在庫は足りたので、納品は不要でした。
load-delivered = 在庫がなくならないように、{ $pieces } 個納品しました。
load-delivery-failed = 納品に失敗したので、在庫がなくなったかもしれません：{ $reason }
load-unsettled = 終わりの時点で処理中のものがあったので、予約はいま、もっと多いかもしれません。
load-not-asked = サービスの値を読めませんでした：{ $reason }
load-spans = スパン
load-no-spans = サービスはスパンを数えていません
load-exported = 送信 { $exported }、消失 { $lost }
load-exported-some = 送信 { $exported }、消失 { $lost }（{ $reasons }）。そのトレースは不完全です
load-in-flight = 処理中
load-gap-now = 食い違い
load-gap-unknown = ?（サービスが応答しません）
load-waiting = 処理中の注文 { $count } 件を、最大 { $limit } s 待ちます。Ctrl-C で終わります

## 表で読むレッスンの質問

ask-local = ネットワーク越しの呼び出しの中央値は、ローカル呼び出しの中央値の何倍になりますか。
ratio-below-10 = 10 倍未満
ratio-below-1000 = 10 倍から 1,000 倍
ratio-above = 1,000 倍を超える
ask-jitter = 同じ注文 20 件のうち、注文サービスは何件を確定しますか。
orders-none = 1 件も確定しない
orders-some = 一部を確定する
orders-all = すべて確定する
ask-recover = 確定しない注文が初めて出ました。それ以降の注文を、在庫サービスはどう処理しますか。
later-confirmed = 少なくとも 1 件は、また予約する
later-never = 1 件も予約しない
ask-reorder = 注文サービスは、8 個の応答をどの順序で受け取りますか。
answers-sent = 送った順
answers-other = 送った順とは違う順
ask-nature = 50 回のうち何回で、応答がほかの応答を追い越しますか。
rounds-none = 1 回もない
rounds-some = 一部の回
rounds-all = すべての回
ask-policy = 制限は 1 s です。リトライを 1 回足すと、何が変わりますか。
retry-better = 確定する注文が増え、二重に予約される注文はない
retry-price = 確定する注文が増え、二重に予約される注文も出る
retry-same = 確定する注文は増えない
no-such-answer = 「{ $answer }」は選択肢にありません。

## つらさの図鑑

name-catalogue = 図鑑
catalogue-title = 4 つのつらさの図鑑
catalogue-lead = それぞれの症状、罠、最初の対策をまとめました。ここから実行して、症状と罠をスパンで確かめてください。
catalogue-symptom = 症状
catalogue-trap = 罠
catalogue-remedy = 最初の対策
catalogue-run = 実行して見る
catalogue-last = 最近の実行
catalogue-lessons = 予想から始めるレッスン：
pain-slow = 遅い：レイテンシとジッター
symptom-slow = 呼び出しに時間がかかり、その時間も毎回違います。ときどきタイムアウトになります。
trap-slow = 注文サービスはあきらめて、同じリクエストをもう一度送ります。最初のリクエストの処理は続いているので、両方とも実行されます。
remedy-slow = タイムアウトとリトライは、コードを書く前に方針を決めます。それぞれの代償も含めて、仕様に書いておきます。
pain-cut = 切れる：接続断と 503
symptom-cut = 呼び出しがときどき失敗し、しばらくするとまた成功します。
trap-cut = 接続断は失敗に見えます。しかし、切れる前に在庫サービスがコミットしていたかもしれません。
remedy-cut = 「結果不明」を 1 つの結果として扱います。何が起きたかを後で確かめ、両方の記録を一致させる手順を用意します。
pain-reorder = 順序の入れ替わり：送った順に届かない
symptom-reorder = 更新や通知が、先に送ったものより早く届きます。
trap-reorder = 古い更新が新しい更新を上書きします。「できあがりました」の通知が「注文を受け付けました」より先に届きます。
remedy-reorder = 順序が必要な場所を見きわめます。そこではバージョン番号を付けるか、許された状態遷移だけを受け付けます。
pain-double = 重複：同じ処理が 2 回走る
symptom-double = 1 つのリクエストが 2 回処理されます。
trap-double = 二重に請求したり、ケーキを 2 つ予約したりします。在庫だけが減り、その理由を知るお客さんはいません。
remedy-double = 作成、決済、予約では、同じリクエストが何度も届くことを前提にします。リクエストごとに冪等性キーを付けます。

## クイズ

name-quiz = クイズ
quiz-title = クイズ
quiz-lead = まず答えを選び、それから実行してください。ラボが本物のリクエストを送り、その実行のスパンが答えを確かめます。
quiz-run = 答えて実行
quiz-proven-by = 実行するレッスン：
quiz-shown = あなたの答えとこの実行
quiz-picture = この実行で起きたことを見る
quiz-next = 次の質問
quiz-timeout = 制限時間内に応答がなく、注文サービスはあきらめました。予約について、何がわかっていますか。
timeout-failed = 予約されていない
timeout-reserved = 予約された
timeout-unknown = どちらとも言えない（結果不明）
proof-timeout = この実行では、{ $orders ->
   *[other] { $orders } 件
}の注文がタイムアウトになりました。そのうち在庫サービスが予約したのは { $reserved } 件、予約しなかったのは { $rest } 件です。
because-timeout = 注文サービスからは、どれも同じに見えました。タイムアウトからわかるのは、応答が来なかったことだけです。
unproven-timeout = この実行では、タイムアウトになった注文がないので、質問に答えられません。注文サービスの制限が 2 s 以上になっていませんか。
quiz-retry = 注文は POST です。注文サービスは、タイムアウトの後に同じ注文をもう一度送ります。在庫サービスで何が起きやすいですか。
resent-once = 2 回目が 1 回目に置き換わり、予約は 1 件
resent-twice = 予約が 2 件できる
resent-refused = 2 回目を断り、予約は 0 件
proof-retry = この実行では、注文サービスは 1 件の注文のために { $attempts ->
   *[other] { $attempts } 回
}試行しました。在庫サービスが行った予約は { $made ->
   *[other] { $made } 件
}、お客さんが知っている予約は { $known } 件です。
because-retry = あきらめても、最初の試行は取り消されません。冪等性キーがなければ、在庫サービスは 2 回目が同じリクエストだとわかりません。
unproven-retry = この実行では、タイムアウトになった試行がなく、何も送り直していないので、質問に答えられません。注文サービスの制限が 2 s 以上になっていませんか。
quiz-reorder = 応答が、リクエストを送った順とは違う順に届きます。これはバグですか。
overtaking-bug = バグ。何かが壊れているか、遅らされている
overtaking-nature = バグではない。並列に呼び出せば普通に起きる
proof-reorder = この実行では、{ $rounds } 回のうち { $reordered } 回で応答の追い越しがありました（{ $pairs ->
   *[other] { $pairs } 組
}）。障害は指定していません。
because-reorder = 並列の呼び出しにかかる時間はそれぞれ違い、順序を守るものはありません。順序が必要なら、メッセージに番号を付けます。
unproven-reorder = この実行では追い越しがなかったので、質問に答えられません。マシンが空いているときは、そうなることがあります。もう一度実行してください。
quiz-cut = リクエストを送った後に、接続が切れました。予約について、注文サービスに何がわかっていますか。
broken-failed = 予約されていない
broken-reserved = 予約された
broken-unknown = どちらとも言えない（結果不明）
proof-cut = この実行では、{ $orders ->
   *[other] { $orders } 件
}の注文で接続が切れました。そのうち在庫サービスが予約したのは { $reserved } 件、予約しなかったのは { $rest } 件です。
because-cut = 注文サービスからは、どれも同じエラーに見えました。接続断からは、コミットの前か後かがわかりません。
unproven-cut = この実行では、接続が切れた注文がないので、質問に答えられません。

## 実行のカウンター

counted = この実行のカウンター
counted-how = この実行のスパンだけから求めました。ほかの人の注文はサービスのカウンターを動かしますが、この表は動かしません。

## 1 つのトレース

trace-title = トレースから描いた 1 つの注文
trace-lead = この注文は、レッスンの注文ではありません。手で送ったか、負荷の 1 つか、たくさんの注文の 1 つです。図は、届いたスパンを示します。
trace-incomplete = この注文のスパンが足りません。続いている処理のスパンは、まだありません。数秒後にもう一度見てください。
trace-gone = ラボは、このトレースの注文を知りません。残しているのは新しいトレースです。トレースは、注文に応答したときに届きます。
trace-run = この注文を送った実行
trace-json = このトレース（JSON）

## 呼び出しの台本であるレッスン

part-call = 呼び出し { $number } の、受けた側のスパン
part-call-commit = 呼び出し { $number } のコミット
asked-naive = レーン: naive（対策なし）
asked-cured = レーン: cured（対策あり）
picture-title-calls = 呼び出しの時空図。時間は下へ、メッセージは横へ進みます
script-asked = 呼び出しと、その応答
script-answer = { $after } 後に { $status }
script-answer-says = { $after } 後に { $status }: { $says }
script-timeout = { $after } 待っても応答なし。待つのをやめました
script-lost = { $after } 後に接続断
script-refused = 接続できませんでした
seen-script = { $answers }。{ $made }
seen-answer = 応答 { $status }
seen-no-answer = 応答なし
predict-script-reservations = すべてが終わったとき、予約は何件ありますか。
fact-concluded = 注文サービスの結論
drawn-legend-calls = # 処理中  . 処理中（誰も待たない）  * コミット  o 他の変更  x あきらめた・無効
sign-change = ほかの変更
sign-refused = 断られたか、キーで決定済み：何も変わらない
call-order = 注文
call-list-orders = 注文一覧
call-read-order = 注文は?
call-reserve = 予約
call-read-keys = キーは?
call-settle = 決着
call-read-price = 価格は?
call-set-price = 価格変更
call-cancel = 取消
call-given-up = { $who }は呼び出し { $call } をあきらめます
call-nothing-sent = 呼び出し { $call } は送られていません
call-caller-left = 呼び出し { $call } はもう誰も待っていません
call-cut = 呼び出し { $call } の接続を切ります
call-dropped = 応答 { $call } は誰にも届きません
call-replayed = 呼び出し { $call } のキーは既知です。新しいことは何もしません
call-sold-out = 呼び出し { $call }: 在庫が足りません
call-key-reused = 呼び出し { $call } のキーは別の要求に使われています
call-cancelled = 呼び出し { $call } の予約は取消済みです。何も減りません
call-expired = 呼び出し { $call } のキーは期限切れです。何もしません
call-stale = 呼び出し { $call } のバージョンは古く、何も変わりません
call-unversioned = 呼び出し { $call } にバージョンがなく、何も変わりません
call-void = 呼び出し { $call } のキーは無効です。何も減りません
call-changed-priced = { $item } の価格: { $before } -> { $after }
call-changed-cancelled = 取消: { $item } { $before } -> { $after }
says-none = なし
says-void = 無効
says-reserved = 予約済み
says-refused = 断られた
says-cancelled = 取消済み
says-replayed = 再送
says-sold-out = 在庫切れ
says-key-reused = キー使用済み
says-expired = 期限切れ
says-stale = 古い
says-unversioned = 版なし
says-cancelling = 取消中
says-accepted = 受付済み
part-messages = 注文についてのメッセージ
call-notify = 通知
call-read-board = 表示は?
call-shows = 呼び出し { $call }: 表示板は「{ $state }」を表示します
call-drops = 呼び出し { $call }: 表示板は古い「{ $state }」を捨てます
says-placing = 注文中

### settle

name-settle = 決着
lesson-settle = たずねるだけでは足りません。キーを締め切ります
title-settle = 「ありません」という答えの直後に、遅い試行がコミットする
trial-settle-1 = 注文サービスは冪等性キーを使っています。試行が遅いので待つのをやめ、キーがあるかを在庫サービスにたずねます。答えは、その時点では本当です。
trial-settle-2 = 同じ状況ですが、注文サービスはキーの決着をつけます。在庫サービスは、そのキーで何が決まったかを答えます。何も決まっていなければキーを無効にするので、後から決まることはありません。
caption-settle-1 = 試行が遅く、注文サービスは待つのをやめて、キーがあるかをたずねるだけです。
caption-settle-2 = 試行が遅く、注文サービスは待つのをやめて、キーの決着をつけます。キーは締め切られます。
why-settle-1 = 在庫サービスは「キーはない」と答えました。その時点では本当です。その直後に、遅い試行がコミットしました。注文サービスは「失敗」と伝え、ケーキは誰のものにもならずに減りました。
why-settle-2 = 遅い試行がコミットする前に、決着によってキーが無効になりました。試行はそれを知り、何も減らしませんでした。「予約していない」は本当で、これからも本当です。
look-jaeger-settle = ケース 1 では遅い呼び出しにコミットがあり、ケース 2 では campuscafe.refusal=idempotency-key-void があってコミットはありません
look-grafana-settle = ケース 1: inventory_late_commits_total に段差。ケース 2: inventory_voided_commits_total に段差
fact-settle-none = 予約されていない。だから注文は失敗
fact-settle-void = 無効。予約されておらず、今後もされない
fact-settle-other = ほかの答え。応答を見てください

### overtake

name-overtake = 追い越し
lesson-overtake = 注文を追い越す取り消し
title-overtake = 取り消しが注文を追い越す
trial-overtake-1 = 在庫サービスが遅くなっています。注文から 0.5 秒後、まだ注文の途中で、お客さんが取り消します。取り消しは、予約より先に在庫サービスに届きます。
trial-overtake-2 = 同じ状況ですが、注文には冪等性キーがあり、取り消しはそのキーを締め切ります。以後、そのキーでは何も予約できません。
caption-overtake-1 = 予約の処理がまだ続いている間に、お客さんが注文を取り消します。
caption-overtake-2 = 同じ状況ですが、取り消しには注文の冪等性キーを使います。
why-overtake-1 = 取り消しの時点では予約がなかったので、お客さんには「取り消しました」と伝わりました。その後で、遅い予約がコミットしました。ケーキが 1 個減り、誰も受け取りません。
why-overtake-2 = 取り消しの時点では予約がなく、キーが無効になりました。遅い予約はそれを知り、何も減らしませんでした。「取り消しました」は本当です。
look-jaeger-overtake = ケース 1: 404 と答えた取り消しの後にコミットがあります。ケース 2: 遅い試行に campuscafe.idempotency.void=true があり、コミットはありません
look-grafana-overtake = ケース 1: inventory_late_commits_total に段差。ケース 2: inventory_voided_commits_total に段差
fact-believes = お客さんの理解
fact-cancelled = 注文は取り消され、ケーキは減っていない
fact-not-cancelled = 取り消されたかどうかわからない

### doubleclick

name-doubleclick = 二度押し
lesson-doubleclick = お客さんが二度押す
title-doubleclick = 二度押すと、注文が 2 件になる
trial-doubleclick-1 = 応答まで 0.6 秒かかります。お客さんは 0.2 秒で待ちきれなくなり、もう一度押します。欲しいケーキは 1 個です。
trial-doubleclick-2 = 同じ状況ですが、どちらの注文にも、お客さんの同じ Idempotency-Key が付いています。
caption-doubleclick-1 = お客さんが欲しいケーキは 1 個です。応答に時間がかかるので、もう一度押します。
caption-doubleclick-2 = 同じ状況ですが、どちらの注文にも同じ Idempotency-Key が付いています。
why-doubleclick-1 = 注文サービスには、2 回の注文が同じものだとわかりません。注文は 2 件になり、どちらも確定して、ケーキは 2 個になりました。
why-doubleclick-2 = 注文サービスは、キーで 2 回目の注文に気づきました。途中の注文を待ち、その注文を答えました。注文は 1 件、ケーキは 1 個、ID はどちらも同じです。
look-jaeger-doubleclick = ケース 1: 注文が 2 件あり、それぞれにコミットがあります。ケース 2: 2 回目の POST /orders に campuscafe.idempotency.replayed=true があり、在庫サービスは呼ばれません
look-grafana-doubleclick = ケース 1: 予約が 2 件。ケース 2: 1 件で、order_idempotent_replays_total に段差
fact-wanted = お客さんの希望
fact-one-piece = { $item } 1 個
fact-placed = お客さんの注文
fact-customers-key = お客さんのキー
fact-orders = { $count ->
    [one] 1 件。どちらの応答も同じ ID
   *[other] { $count } 件。ID は別々
}

### notify

name-notify = 通知
lesson-notify = 追い越し合うメッセージ
title-notify = 2 つのメッセージの古いほうが後に届き、表示される
trial-notify-1 = 注文サービスは、注文がどうなったかを表示板に知らせます。受け付けたときに「受付済み」、ケーキを予約したときに「確定」です。最初のメッセージは 1.5 秒遅れます。表示板は、最後に届いたメッセージを表示します。
trial-notify-2 = 同じ状況ですが、注文には冪等性キーがあり、メッセージにはシーケンス番号があります。表示板は、番号がいちばん大きいメッセージを表示します。
caption-notify-1 = 1 件の注文について 2 つのメッセージがあります。最初のものが遅れ、2 つ目に追い越されます。
caption-notify-2 = 同じ状況ですが、メッセージにはシーケンス番号があります。
why-notify-1 = 先に「確定」、その後で遅れた「受付済み」が届きました。表示板には、どちらが古いかわかりません。そのため「受付済み」を表示します。お客さんには「確定」と伝わっており、表示板はこの先も間違ったままです。
why-notify-2 = 「確定」の番号は 2 です。その後で番号 1 の「受付済み」が届いたので、表示板はそれを捨てました。表示は「確定」のままです。
look-jaeger-notify = どちらのメッセージも注文の下にあります。「受付済み」(accepted) の send notification は先に始まり、後に終わります。ケース 2 では、その先に show notification (dropped) があります
look-grafana-notify = パネルはありません。在庫サービスのメトリクスで、ケース 1: inventory_notifications_total の state="accepted"、result="shown" に段差。ケース 2: result="dropped" に段差
fact-customer-told = お客さんへの応答
fact-board = 表示板の表示
### stale

name-stale = 古い更新
lesson-stale = 後から届く、古い更新
title-stale = 2 つの価格変更のうち、古いほうが後に届いて勝つ
trial-stale-1 = 2 人が同じ価格を読み、それぞれ変更します。先に送った（古い）変更は 0.8 秒遅れます。新しい変更は 0.2 秒後に送られ、先に届きます。
trial-stale-2 = 同じ状況ですが、どの変更も、元にしたバージョンを If-Match で示します。在庫サービスは、それが今のバージョンでなければ断ります。
caption-stale-1 = 2 人が価格を変更します。古い変更は遅いので、後に届きます。
caption-stale-2 = 同じ状況ですが、どの変更も、置き換えるバージョンを示します。
why-stale-1 = 在庫サービスには、後に届いた変更のほうが古いとわかりません。新しい価格は上書きされ、2 人とも 200 を受け取りました。更新が失われたことは、誰にも伝わりません。
why-stale-2 = 新しい変更でバージョンが上がりました。古い変更は 1 つ前のバージョンを示したので 412 になり、新しい価格が残りました。送った人は、価格を読み直して決められます。
look-jaeger-stale = ケース 1: スパン "change price" が 2 つあります。ケース 2: 古い PUT には campuscafe.refusal=precondition-failed があり、このスパンはありません
look-grafana-stale = 価格のパネルはありません。在庫サービスの /metrics では、ケース 2 で inventory_price_changes_total{"{"}result="stale"{"}"} が増えます
ask-stale = 最後に残る価格は、どちらですか。
change-older = 古い変更の価格
change-newer = 新しい変更の価格
fact-older-price = 古い価格
fact-newer-price = 新しい価格
fact-last-price = 最後の価格

### oversell

name-oversell = 売りすぎ
lesson-oversell = 10 個のケーキに、同時に 20 件の注文
title-oversell = 20 人が同時に注文し、在庫より多く売れる
trial-oversell-1 = 残りは 10 個です。20 人が 1 個ずつ、同時に注文します。在庫サービスは障害 race のとおり、在庫を読み、0.5 秒待ち、読んだ値から計算した値を書き戻します。
trial-oversell-2 = 同じ状況ですが、障害はありません。在庫サービスは、在庫の確認と変更を 1 つのステップで行います。
caption-oversell-1 = 残りは 10 個で、20 人が同時に 1 個ずつ注文します。在庫を読むことと書き戻すことが、2 つのステップに分かれています。
caption-oversell-2 = 同じ状況ですが、在庫の確認と変更は 1 つのステップです。
why-oversell-1 = どの注文も、ほかの注文が書く前に在庫を読みました。だから足りると判断し、自分の計算した値を書き戻しました。10 個に対して { $sold } 個が売れたのに、在庫はまだ { $left } 個残っていることになっています。
why-oversell-2 = どの注文も、1 つ前の注文が書いた在庫を読みました。10 個が売れ、10 件は断られ、残りは 0 個です。
look-jaeger-oversell = ケース 1: 多くのコミットで campuscafe.reservation.stock.before=10 です。本当の残りは campuscafe.reservation.stock.overwritten にあります。ケース 2: どのコミットも、1 つ前の続きから始まります
look-grafana-oversell = 予約の増え方が、残り在庫の減り方より大きくなります。inventory_faults_total{"{"}fault="race"{"}"} は race の付いた要求を数えます
fact-sold = 売れた数
fact-sold-of = { $item } { $pieces } 個に対して { $sold } 個
fact-refused = 断られた注文
fact-refused-orders = { $refused } 件
stock-seen = コミットが読んだ在庫と書いた在庫（スパンから）
stock-seen-commits = コミット
stock-seen-change = 在庫
answers-count = { $count } 件
calls-left-out = 図にない同様の呼び出しが、あと { $count } 件あります

### storm

name-storm = 嵐
lesson-storm = 嵐：リトライが過負荷を長引かせる
trial-storm-1 = お客さんは毎秒 10 人来て、在庫サービスは毎秒 20 件を処理できます。3 秒間だけ、毎秒 30 人が加わります。ケーキを得られなかったお客さんは、最大 5 回まで押し直します。両方のレーンに、同じお客さんが同時に来ます。対策なしのレーンはすぐにリトライします。対策ありのレーンには、リトライの予算があります。1 分かかります。
ask-storm = 嵐は 3 秒で終わり、お客さんは毎秒 10 人に戻ります。そのあと、対策なしのレーンはどうなりますか。
then-soon = 10 秒以内に、また全員に応じる
then-later = また全員に応じるが、もっと後になる
then-down = 原因がなくなっても、回復しない
storm-starting = レーンごとに、注文サービスと在庫サービスを起動しています。
storm-before = 嵐の前です。お客さんは毎秒 { $rate } 人来ます。
storm-during = 嵐です。お客さんは毎秒 { $all } 人来ます。
storm-over = 嵐は終わりました。お客さんは、嵐の前と同じ毎秒 { $rate } 人です。
storm-running-hint = 図は 1 秒ごとに 1 列伸びます。このページを離れても、実験は続きます。
storm-second = { $seconds } 秒のうち { $second } 秒
storm-progress = { $seconds } 秒のうち { $second } 秒目：対策なしは { $naive } 人、対策ありは { $cured } 人に応じました
storm-so-far = { $seconds } 秒のうち { $second } 秒が過ぎました。最後の 1 秒に予約を知らせたお客さんは、対策なしのレーンで { $naive } 人、対策ありのレーンで { $cured } 人です。
storm-in-words = { $lane }のレーンが応じたお客さんは、嵐の前は毎秒 { $before } 人、嵐の間は { $during } 人、嵐の 10 秒後からは { $later } 人、最後の 10 秒は { $last } 人です。最も長い待ち行列は { $queue } 件です。
storm-charts = 2 つのレーンの 1 秒ごと
storm-picture = 2 つのレーンの 1 秒ごとのグッドプットと、それぞれの在庫サービスの待ち行列
storm-caption = グッドプットは、ケーキの予約を知らされたお客さんの、1 秒あたりの数です。在庫サービスは待ち行列を順番に、毎秒 { $capacity } 件処理します。呼び出し側が去ったリクエストも処理します。前に { $capacity } 件あるリクエストは 1 秒より長く待つので、呼び出し側はもうあきらめています。
storm-band = 嵐：毎秒 { $rate } 人
storm-queues = 待ち行列のリクエスト
storm-sign-told = ケーキの予約を知らされたお客さん
storm-sign-come = 来たお客さん
storm-sign-naive = 対策なしの待ち行列
storm-sign-cured = 対策ありの待ち行列
storm-figures = 2 つのレーンの数字
storm-rate = 毎秒 { $rate } 人
storm-row-before = 嵐の前のグッドプット
storm-row-during = 嵐の間のグッドプット
storm-row-later = 嵐の 10 秒後からのグッドプット
storm-row-last = 最後の 10 秒のグッドプット
storm-row-back = 嵐の前に戻るまで
storm-row-attempts = お客さん 1 人あたりの試行
storm-row-retries = リトライ
storm-row-refused = 予算が断ったリトライ
storm-row-late = 遅れて届いたコミット（待つ人なし）
storm-row-queue = 最も長い待ち行列
storm-each-second = 1 秒ごとの数字
storm-col-second = 秒
storm-told-of = { $lane }：応じた人数
storm-queue-of = { $lane }：待ち行列
storm-terminal = 嵐は、専用の注文サービスと在庫サービスを 2 つずつ起動します。端末では、次のコマンドで同じことができます：
storm-no-room = このラボでは嵐を実行できません。コンテナーのメモリーは { $has } MiB で、嵐には { $needs } MiB が必要です。手元のコンピューターの端末で実行してください：

### crash

name-crash = クラッシュ
lesson-crash = クラッシュ：強制終了されたプロセスが残すもの
title-crash = コミットと応答の間の kill -9：メモリは忘れ、ファイルと PostgreSQL は覚えている
trial-crash-1 = 在庫サービスは、在庫をプロセスのメモリに置いています。注文をコミットし、応答を止めておきます。そこでラボがプロセスを強制終了し（kill -9）、同じアドレスで別のプロセスを起動します。試行は冪等性キーを持つので、注文サービスは新しいプロセスに、キーで決まったことを聞きます。
trial-crash-2 = 同じ状況ですが、在庫サービスは在庫をファイルに置いています。コミットは、応答する前にディスクに書かれています。
trial-crash-3 = 同じ状況ですが、在庫サービスは在庫を PostgreSQL データベースに置いています。
caption-crash-1 = 在庫はメモリにあります。コミットと応答の間に、在庫サービスを強制終了します。
caption-crash-2 = 同じですが、在庫はファイルにあります。
caption-crash-3 = 同じですが、在庫は PostgreSQL にあります。
why-crash-1 = 在庫サービスはケーキを 1 つコミットしました（{ $commit }）。そのあとプロセスが強制終了され、メモリは失われました。お客さんには { $after } 後に 202、つまり結果不明と伝わりました。新しいプロセスの在庫は元どおりで、予約を知りません。そのため注文サービスは、予約はないと知りました。注文から { $later } 後、お客さんは失敗を知りました。誰にもまちがったことは伝わっていませんが、予約されたはずのケーキは、もう予約されていません。
why-crash-kept = 在庫サービスはケーキを 1 つコミットしました（{ $commit }）。そのあと、応答する前にプロセスが強制終了されました。お客さんには { $after } 後に 202、つまり結果不明と伝わりました。コミットはプロセスの外にあるので、新しいプロセスにも予約があります。注文サービスはキーで聞きました。注文から { $later } 後、お客さんは確定を知りました。ケーキは 1 つです。
crash-killed = ケーキは予約され、応答はまだ送られていません。ラボが在庫サービスを強制終了します（SIGKILL）。
crash-kept = ラボが同じアドレスで在庫サービスを起動し直します。予約は残っています。
crash-forgot = ラボが同じアドレスで在庫サービスを起動し直します。予約は忘れられました。
crash-skipped = 省略：このケースには、専用の在庫サービスのための PostgreSQL データベースが必要です。--experiment-database-url または EXPERIMENT_DATABASE_URL で指定してください。
cli-farewell-own = この実行のサービスは終了しました。この実験は、いつも専用のサービスを起動します。トレースを残すには、カフェ（`campuscafe`、または `cargo run --release`）を起動して、ラボのページから実行してください。
look-jaeger-crash = 試行は connection_lost で終わり、在庫サービスにそのスパンはありません。コミットの親スパンは、送られませんでした
look-grafana-crash = inventory_reservations_total は、再起動の後に 0 から数え直します
note-killed = プロセスが強制終了される
note-restarted = 別のプロセスが起動する
note-kept = 予約は残っている
note-forgot = 予約を忘れている
sign-killed = プロセスの強制終了（SIGKILL）
sign-restarted = 別のプロセスの起動
know-killed = プロセスは強制終了され、何かを知る者はいません
know-kept = 別のプロセスです。保存先に予約があります
know-forgot = 別のプロセスです。この注文を何も知りません
know-answer-lost = 試行 { $number }：応答したかは、わかりません
drawn-killed = 強制終了（SIGKILL）
drawn-restarted-kept = 再起動: 予約は残っている
drawn-restarted-forgot = 再起動: 予約を忘れている
drawn-legend-crash = # 処理中   * コミット   x あきらめた   X プロセスの強制終了
cell-forgotten = { $held }（{ $count } 件を忘れた）
ledger-forgotten = ほかに { $count } 件を忘れた
